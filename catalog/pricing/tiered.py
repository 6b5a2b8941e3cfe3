"""Price units by tiers: each unit in the tier it falls in (graduated), or all in the tier of the total (volume)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from catalog.pricing.properties import Properties
from catalog.pricing.ratings import ZERO, Rating, TierAmount, started_packages, sum_up


@dataclass(frozen=True, slots=True)
class Tier:
    """
    Units above the tier before and up to and including ``up_to`` (None: without end), with their price.

    ``unit_amount`` is per unit, or per started package where ``package_size`` is given; ``flat_amount`` is due once
    when the tier is reached. Amounts in currency units.
    """

    up_to: Decimal | None
    unit_amount: Decimal
    flat_amount: Decimal
    package_size: Decimal | None = None

    def holds(self, units: Decimal) -> bool:
        """Tell whether the tier reaches as far as ``units``."""
        return self.up_to is None or units <= self.up_to

    def price(self, units: Decimal, *, above: Decimal) -> TierAmount:
        """Price ``units`` in this tier, which begins after ``above``."""
        count = units if self.package_size is None else started_packages(units, self.package_size)
        amount = count * self.unit_amount + self.flat_amount
        return TierAmount(above, self.up_to, units, self.unit_amount, self.flat_amount, amount, self.package_size)


@dataclass(frozen=True, slots=True)
class TieredPrice:
    """Tiers in ascending order, of which only the last is open; ``parse_price`` is what guarantees it."""

    tiers: tuple[Tier, ...]

    #: What a tier may say.
    tier_keys: ClassVar[tuple[str, ...]] = ("up_to", "unit_amount", "flat_amount", "package_size")

    @classmethod
    def parse(cls, properties: Properties) -> Self:
        """
        Read ``{"tiers": [{"up_to", "unit_amount", "flat_amount", "package_size"}, …]}``.

        ``up_to`` ascends and is null in the last tier, ``flat_amount`` is 0 unless given, ``package_size`` is optional.

        Raises:
            InvalidPrice: no tiers, bounds that do not ascend, an open tier before the last or none at the end, or a
                property of a tier that is missing, unknown or out of bounds.
        """
        properties.allow_only("tiers")
        raw = properties.required("tiers")
        if not isinstance(raw, list | tuple) or not raw:
            raise properties.invalid("tiers", "must be a list of at least one tier")
        tiers: list[Tier] = []
        above = ZERO
        for position, fields in enumerate(_tier_properties(properties, raw)):
            fields.allow_only(*cls.tier_keys)
            tier = cls.read_tier(fields, up_to=_read_bound(fields, above=above, last=position == len(raw) - 1))
            tiers.append(tier)
            above = tier.up_to or ZERO
        return cls(tiers=tuple(tiers))

    @classmethod
    def read_tier(cls, fields: Properties, *, up_to: Decimal | None) -> Tier:
        """
        Read the price of one tier, whose bound is read already.

        Raises:
            InvalidPrice: a property of the tier is missing or out of bounds.
        """
        return Tier(
            up_to=up_to,
            unit_amount=fields.amount("unit_amount"),
            flat_amount=fields.amount("flat_amount", default="0"),
            package_size=fields.positive("package_size") if "package_size" in fields.values else None,
        )

    def spans(self) -> Iterator[tuple[Decimal, Tier]]:
        """Yield each tier with the bound above which it begins."""
        above = ZERO
        for tier in self.tiers:
            yield above, tier
            above = tier.up_to or ZERO


@dataclass(frozen=True, slots=True)
class GraduatedPrice(TieredPrice):
    """Each unit costs what its own tier says; the flat amounts of all tiers reached are added."""

    def rate(self, units: Decimal) -> Rating:
        """
        Return one amount for each tier reached.

        The first tier is always reached, so its flat amount is due even at 0 units (as in Lago and OpenMeter).
        """
        reached: list[TierAmount] = []
        for above, tier in self.spans():
            end = units if tier.up_to is None else min(units, tier.up_to)
            reached.append(tier.price(end - above, above=above))
            if tier.holds(units):
                break
        return sum_up(reached)


@dataclass(frozen=True, slots=True)
class VolumePrice(TieredPrice):
    """All units cost what the tier of the total says, plus that tier's flat amount; 0 units are in the first tier."""

    def rate(self, units: Decimal) -> Rating:
        """Return the amount of the one tier that holds the total."""
        return sum_up([next(tier.price(units, above=above) for above, tier in self.spans() if tier.holds(units))])


def _tier_properties(properties: Properties, raw: list[object] | tuple[object, ...]) -> Iterator[Properties]:
    """Yield each tier's properties with its place, counted from 0 in the path and from 1 in the sentence."""
    for position, values in enumerate(raw):
        if not isinstance(values, Mapping):
            raise properties.invalid(f"tiers[{position}]", f"(tier {position + 1}) must be an object")
        yield Properties(values, path=f"tiers[{position}].", place=f"Tier {position + 1}: ")


def _read_bound(fields: Properties, *, above: Decimal, last: bool) -> Decimal | None:
    """Read where a tier ends that begins after ``above``; the last one must be open, the others must not."""
    is_open = fields.required("up_to") is None
    if last and not is_open:
        raise fields.invalid("up_to", "must be null, because the last tier has no end")
    if is_open and not last:
        raise fields.invalid("up_to", "must be a number, because only the last tier has no end")
    up_to = None if is_open else fields.amount("up_to")
    if up_to is not None and up_to <= above:
        raise fields.invalid("up_to", f"must be above {above}, where the tier begins")
    return up_to
