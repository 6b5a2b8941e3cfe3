"""What a period comes to between minimums and maximum, and what late usage adds to it: the arithmetic alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.pricing.settlement import ChargeDue, Settlement, Use, settle, settle_late

D = Decimal


def use(rated: int, minimum: int = 0) -> Use:
    return Use(rated=D(rated), minimum=D(minimum))


def due(usage: int, true_up: int = 0) -> ChargeDue:
    return ChargeDue(usage=D(usage), true_up=D(true_up))


SETTLED: list[tuple[str, int, list[Use], int, int | None, list[ChargeDue], int]] = [
    ("no bounds", 10, [use(5), use(7)], 0, None, [due(5), due(7)], 0),
    ("below the minimum commitment", 10, [use(5)], 100, None, [due(5)], 85),
    ("at the minimum commitment", 10, [use(90)], 100, None, [due(90)], 0),
    ("above the minimum commitment", 10, [use(91)], 100, None, [due(91)], 0),
    ("a commitment without any charge", 10, [], 100, None, [], 90),
    ("below the minimum of a charge", 0, [use(8, 20), use(5)], 0, None, [due(8, 12), due(5)], 0),
    ("an unused charge with a minimum", 0, [use(0, 20)], 0, None, [due(0, 20)], 0),
    ("at the minimum of a charge", 0, [use(20, 20)], 0, None, [due(20)], 0),
    ("the true-up of a charge counts for the commitment", 10, [use(8, 20)], 50, None, [due(8, 12)], 20),
    ("below the maximum", 10, [use(5), use(7)], 0, 23, [due(5), due(7)], 0),
    ("at the maximum", 10, [use(5), use(7)], 0, 22, [due(5), due(7)], 0),
    ("above the maximum, the last is cut", 10, [use(5), use(7)], 0, 20, [due(5), due(5)], 0),
    ("above the maximum by far, the later cost nothing", 10, [use(50), use(7)], 0, 20, [due(10), due(0)], 0),
    ("a base fee that is the maximum", 20, [use(50)], 0, 20, [due(0)], 0),
    ("the maximum holds for true-ups of charges", 10, [use(3, 30), use(7)], 0, 20, [due(3, 7), due(0)], 0),
    ("a commitment that is the maximum", 10, [use(3)], 20, 20, [due(3)], 7),
    ("a commitment that is the maximum, exceeded", 10, [use(30)], 20, 20, [due(10)], 0),
]


@pytest.mark.parametrize(
    ("base", "uses", "minimum", "maximum", "charges", "true_up"),
    [case[1:] for case in SETTLED],
    ids=[case[0] for case in SETTLED],
)
def test_a_period_comes_to_no_less_than_its_minimums_and_no_more_than_its_maximum(
    base: int, uses: list[Use], minimum: int, maximum: int | None, charges: list[ChargeDue], true_up: int
) -> None:
    settled = settle(D(base), uses, minimum=D(minimum), maximum=None if maximum is None else D(maximum))

    capped = sum(use.rated for use in uses) - sum(due.usage for due in charges)
    assert settled == Settlement(base=D(base), charges=charges, true_up=D(true_up), capped=D(capped))
    assert settled.total >= minimum
    assert maximum is None or settled.total <= maximum


LATE: list[tuple[str, list[int], int, int | None, list[int]]] = [
    ("no bounds", [5, 7], 0, None, [5, 7]),
    ("the true-up pays for less than came", [5, 7], 10, None, [2, 0]),
    ("the true-up pays for all that came", [5, 7], 12, None, [0, 0]),
    ("the true-up pays for more than came", [5, 7], 13, None, [0, 0]),
    ("room for all", [5, 7], 0, 12, [5, 7]),
    ("room for a part", [5, 7], 0, 8, [5, 3]),
    ("no room", [5, 7], 0, 0, [0, 0]),
    ("a true-up and room", [5, 7], 3, 4, [4, 0]),
]


@pytest.mark.parametrize(
    ("more", "covered", "room", "billed"), [case[1:] for case in LATE], ids=[case[0] for case in LATE]
)
def test_late_usage_is_billed_beyond_the_true_up_and_within_the_maximum(
    more: list[int], covered: int, room: int | None, billed: list[int]
) -> None:
    late = settle_late([D(amount) for amount in more], covered=D(covered), room=None if room is None else D(room))

    assert late == [D(amount) for amount in billed]


cents = st.integers(0, 10_000).map(lambda value: D(value) / 100)


@given(
    base=cents,
    parts=st.lists(st.lists(cents, min_size=1, max_size=4), min_size=1, max_size=4),
    minimums=st.lists(cents, min_size=4, max_size=4),
    extra=cents,
    maximum=st.none() | cents,
)
def test_it_does_not_matter_whether_usage_came_in_time_or_late(
    base: Decimal, parts: list[list[Decimal]], minimums: list[Decimal], extra: Decimal, maximum: Decimal | None
) -> None:
    commitment = base + extra
    most = None if maximum is None else commitment + maximum
    rounds = max(len(amounts) for amounts in parts)

    def rated(after: int) -> list[Decimal]:
        return [sum(amounts[:after], D(0)) for amounts in parts]

    def settled(after: int) -> Settlement:
        uses = [Use(rated=one, minimum=least) for one, least in zip(rated(after), minimums, strict=False)]
        return settle(base, uses, minimum=commitment, maximum=most)

    first = settled(1)
    billed: list[Any] = [one.usage for one in first.charges]
    sum_billed = first.total
    for after in range(2, rounds + 1):
        more = [
            max(now - before - one.true_up, D(0))
            for now, before, one in zip(rated(after), billed, first.charges, strict=True)
        ]
        late = settle_late(more, covered=first.true_up, room=None if most is None else most - sum_billed)
        billed = [before + amount for before, amount in zip(billed, late, strict=True)]
        sum_billed += sum(late, D(0))

    assert sum_billed == settled(rounds).total
    assert sum_billed >= commitment
    assert most is None or sum_billed <= most
