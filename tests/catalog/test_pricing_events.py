"""Prove the prices by the event against the worked examples, and their laws for any price and any events."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, Inexact
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.pricing import EventPrice, Tally, TierAmount, rate_events
from config.kernel.money import round_money
from tests.cases import Case, load_cases
from tests.catalog.prices import event_price, total

ZERO = Decimal(0)

# The worked examples' names of a percentage's properties, and ours.
NAMES = {
    "rate_percent": "rate_percent",
    "fixed_fee_per_event": "fixed_amount",
    "free_events": "free_events",
    "free_total_amount": "free_amount",
    "min_per_event": "minimum_per_event",
    "max_per_event": "maximum_per_event",
}

SKIPPED = {
    "RATE-percentagequote-007": "lets an event of amount 0 pay the fixed amount; ours bills nothing, in quote and bill",
    "RATE-percentagequote-008": "lifts an event of amount 0 to the minimum; ours bills nothing",
}

CASES = [case for case in load_cases("rating") if case.given.get("model") in {"percentage", "dynamic"}]
PERCENTAGES = [case for case in CASES if case.given["model"] == "percentage" and case.id not in SKIPPED]
WHOLE = [case for case in PERCENTAGES if "event_amounts" in case.given]
RUNNING = [case for case in PERCENTAGES if "event_amounts_in_order" in case.given]


def percentage(**properties: object) -> EventPrice:
    """Return a percentage of 1 unless another is given."""
    return event_price("PERCENTAGE", {"rate_percent": "1", **properties})


def percentage_of(case: Case) -> EventPrice:
    """Translate a case's price into ours."""
    return percentage(**{ours: case.given[name] for name, ours in NAMES.items() if case.given.get(name) is not None})


def added(price: EventPrice, amounts: Sequence[Decimal | int]) -> list[Decimal]:
    """Return what each event adds."""
    tally = Tally(price)
    return [tally.add(Decimal(amount)) for amount in amounts]


@pytest.mark.parametrize("case", WHOLE, ids=str)
def test_events_cost_what_the_worked_example_says(case: Case) -> None:
    rating = rate_events(percentage_of(case), [Decimal(amount) for amount in case.given["event_amounts"]])

    assert rating.amount == Decimal(case.expect["amount"])
    assert total(tier.amount for tier in rating.tiers) == rating.amount


@pytest.mark.parametrize("case", RUNNING, ids=str)
def test_the_running_amount_is_what_the_worked_example_says(case: Case) -> None:
    costs = added(percentage_of(case), [Decimal(amount) for amount in case.given["event_amounts_in_order"]])

    assert list(accumulate(costs)) == [Decimal(amount) for amount in case.expect["amount_after_each_event"]]


@pytest.mark.parametrize("case", [case for case in CASES if "event_amount_cents" in case.given], ids=str)
def test_amounts_that_events_carry_are_summed_before_they_are_rounded(case: Case) -> None:
    amounts = [Decimal(cents) / 100 for cents in case.given["event_amount_cents"]]

    rating = rate_events(event_price("DYNAMIC", {"property": "cost"}), amounts)

    assert round_money(rating.amount, case.given["currency"]) * 100 == case.expect["amount_cents"]


@pytest.mark.parametrize("case", [case for case in CASES if "metered_cost" in case.given], ids=str)
def test_a_multiplier_raises_what_events_carry(case: Case) -> None:
    price = event_price("DYNAMIC", {"property": "cost", "multiplier": case.given["multiplier"]})

    rating = rate_events(price, [Decimal(case.given["metered_cost"])])

    assert round_money(rating.amount, case.given["currency"]) == Decimal(case.expect["amount_rounded"])


def test_every_worked_example_is_replayed_or_left_out_with_a_reason() -> None:
    dynamic = [case for case in CASES if {"event_amount_cents", "metered_cost"} & set(case.given)]

    assert {case.id for case in CASES} == {case.id for case in [*WHOLE, *RUNNING, *dynamic]} | set(SKIPPED)


def test_an_event_of_nothing_or_less_bills_nothing_and_uses_up_nothing_free() -> None:
    price = percentage(fixed_amount="2", free_events="1", minimum_per_event="5")

    assert added(price, [0, -100, 100, 0, 700, -700]) == [0, 0, 0, 0, 9, 0]
    assert rate_events(price, [ZERO, Decimal(-5)]).tiers == ()


def test_an_event_that_is_free_in_part_pays_for_the_rest_with_the_fixed_amount() -> None:
    price = percentage(fixed_amount="2", free_amount="250")

    assert added(price, [250, 1]) == [0, Decimal("2.01")]
    assert added(price, [200, 100, 10]) == [0, Decimal("2.50"), Decimal("2.10")]


def test_with_two_free_parts_an_event_is_free_only_while_both_last() -> None:
    both = percentage(free_events="2", free_amount="100")

    assert added(both, [10, 10, 10]) == [0, 0, Decimal("0.1")]
    assert added(both, [90, 90, 90]) == [0, Decimal("0.8"), Decimal("0.9")]


def test_a_free_part_of_nothing_sets_no_limit_to_the_other() -> None:
    assert added(percentage(free_events="0", free_amount="100"), [50, 50, 50]) == [0, 0, Decimal("0.5")]
    assert added(percentage(free_events="1", free_amount="0"), [500, 50]) == [0, Decimal("0.5")]
    assert added(percentage(free_events="0", free_amount="0"), [50]) == [Decimal("0.5")]


def test_the_order_of_events_decides_which_are_free() -> None:
    price = percentage(free_events="1")

    assert rate_events(price, [Decimal(100), Decimal(900)]).amount == 9
    assert rate_events(price, [Decimal(900), Decimal(100)]).amount == 1


def test_events_priced_alike_are_shown_together() -> None:
    price = percentage(fixed_amount="1", free_events="1", minimum_per_event="1.75", maximum_per_event="12")

    tiers = rate_events(price, [Decimal(amount) for amount in (40, 10, 100, 200, 20_000)]).tiers

    def tier(units: int, share: str, flat: str, amount: str, events: int) -> TierAmount:
        unit_amount, flat_amount, whole = (Decimal(text) for text in (share, flat, amount))
        return TierAmount(ZERO, None, Decimal(units), unit_amount, flat_amount, whole, events=events)

    assert tiers == (
        tier(40, "0", "0", "0", 1),
        tier(300, "0.01", "2", "5", 2),
        tier(10, "0", "1.75", "1.75", 1),
        tier(20_000, "0", "12", "12", 1),
    )


def test_what_events_carry_below_zero_is_taken_off_a_dynamic_price_down_to_nothing() -> None:
    price = event_price("DYNAMIC", {"property": "cost", "multiplier": "2"})

    assert added(price, [5, -2, -10, 4, 10]) == [10, -4, -6, 0, 14]
    assert rate_events(price, [Decimal(-1)]).tiers == ()


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_an_amount_that_is_no_finite_number_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        Tally(percentage()).add(Decimal(amount))


def test_an_amount_that_could_not_stay_exact_is_refused_not_rounded() -> None:
    price = percentage(rate_percent="0.123456789012")

    assert rate_events(price, [Decimal("0." + "1" * 70)]).amount > 0
    with pytest.raises(Inexact):
        rate_events(price, [Decimal("0." + "1" * 119)])


AMOUNTS = st.decimals(min_value=-(10**4), max_value=10**9, places=12, allow_nan=False, allow_infinity=False)
PRICES = st.decimals(min_value=0, max_value=10**4, places=12, allow_nan=False, allow_infinity=False).map(abs).map(str)
EVENTS = st.lists(st.one_of(st.integers(-2, 300).map(Decimal), AMOUNTS), max_size=12)


@st.composite
def percentages(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a percentage with any of its parts."""
    optional = {"fixed_amount": PRICES, "free_amount": PRICES, "free_events": st.integers(0, 5).map(str)}
    drawn = {name: draw(value) for name, value in optional.items() if draw(st.booleans())}
    low, high = sorted(draw(st.tuples(PRICES, PRICES)), key=Decimal)
    if draw(st.booleans()):
        drawn["minimum_per_event"] = low
    if draw(st.booleans()) and Decimal(high):
        drawn["maximum_per_event"] = high
    return {"rate_percent": draw(PRICES), **drawn}


def expected_cost(properties: Mapping[str, Any], amounts: Sequence[Decimal]) -> Fraction:
    """Return what events cost in the words of the rule: how many and how much came before says what is free."""

    def number(name: str) -> Fraction:
        return Fraction(properties.get(name, "0"))

    billed = [Fraction(amount) for amount in amounts if amount > 0]
    cost = Fraction(0)
    for place, amount in enumerate(billed):
        free = Fraction(0)
        if number("free_events") or number("free_amount"):
            in_count = not number("free_events") or place < number("free_events")
            left = number("free_amount") - sum(billed[:place]) if number("free_amount") else amount
            free = min(max(left, Fraction(0)), amount) if in_count else Fraction(0)
        if free < amount:
            fee = (amount - free) * number("rate_percent") / 100 + number("fixed_amount")
            fee = max(fee, number("minimum_per_event"))
            cost += min(fee, number("maximum_per_event")) if "maximum_per_event" in properties else fee
    return cost


@given(properties=percentages(), amounts=EVENTS)
def test_a_percentage_is_what_the_rule_says(properties: dict[str, Any], amounts: list[Decimal]) -> None:
    rating = rate_events(event_price("PERCENTAGE", properties), amounts)

    assert Fraction(rating.amount) == expected_cost(properties, amounts)


@given(properties=percentages(), amounts=EVENTS)
def test_what_events_add_and_the_tiers_make_the_whole(properties: dict[str, Any], amounts: list[Decimal]) -> None:
    price = event_price("PERCENTAGE", properties)

    rating = rate_events(price, amounts)

    billed = [amount for amount in amounts if amount > 0]
    assert total(added(price, amounts)) == rating.amount
    assert total(tier.amount for tier in rating.tiers) == rating.amount
    assert total(tier.units for tier in rating.tiers) == total(billed)
    for tier in rating.tiers:
        assert Fraction(tier.units) * Fraction(tier.unit_amount) + Fraction(tier.flat_amount) == tier.amount


@given(properties=percentages(), amounts=EVENTS)
def test_a_percentage_never_falls_from_event_to_event(properties: dict[str, Any], amounts: list[Decimal]) -> None:
    price = event_price("PERCENTAGE", properties)
    running = [rate_events(price, amounts[:count]).amount for count in range(len(amounts) + 1)]

    assert all(fewer <= more for fewer, more in pairwise(running))


@given(properties=percentages(), amounts=EVENTS, late=AMOUNTS, place=st.integers(0, 12))
def test_an_event_that_comes_late_never_makes_a_percentage_cheaper(
    properties: dict[str, Any], amounts: list[Decimal], late: Decimal, place: int
) -> None:
    price = event_price("PERCENTAGE", properties)

    assert rate_events(price, amounts).amount <= rate_events(price, [*amounts[:place], late, *amounts[place:]]).amount


@given(amounts=EVENTS, multiplier=PRICES, order=st.randoms(use_true_random=False))
def test_a_dynamic_price_is_the_same_in_any_order(amounts: list[Decimal], multiplier: str, order: Any) -> None:
    price = event_price("DYNAMIC", {"property": "cost", "multiplier": multiplier})
    shuffled = order.sample(amounts, len(amounts))

    rating = rate_events(price, amounts)

    assert Fraction(rating.amount) == max(total(amounts), Fraction(0)) * Fraction(multiplier)
    assert total(added(price, shuffled)) == rating.amount
