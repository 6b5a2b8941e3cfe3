"""Price each event by a percentage of the amount it carries, with a fixed amount, a free part and bounds."""

from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Self

from catalog.pricing.properties import Properties
from catalog.pricing.ratings import EXACT, ZERO, Rating, TierAmount, sum_up


@dataclass(frozen=True, slots=True)
class PercentagePrice:
    """
    ``rate_percent`` of each event's amount plus ``fixed_amount``, together clamped to the bounds per event.

    The first ``free_events`` are free, and the first ``free_amount`` of what events carry; with both, only while both
    last. 0 of either means that it sets no limit, 0 of both that nothing is free. Amounts are in currency units.
    """

    rate_percent: Decimal
    fixed_amount: Decimal
    free_events: Decimal
    free_amount: Decimal
    minimum_per_event: Decimal
    maximum_per_event: Decimal | None

    @classmethod
    def parse(cls, properties: Properties) -> Self:
        """
        Read the properties named like the fields; all but ``rate_percent`` may be left out.

        Raises:
            InvalidPrice: a property is missing, unknown or out of bounds; a maximum of 0 or below the minimum.
        """
        properties.allow_only(*(one.name for one in fields(cls)))
        minimum = properties.amount("minimum_per_event", default="0")
        maximum = properties.positive("maximum_per_event") if "maximum_per_event" in properties.values else None
        if maximum is not None and maximum < minimum:
            raise properties.invalid("maximum_per_event", f"must not be below the minimum, {minimum}")
        return cls(
            rate_percent=properties.amount("rate_percent"),
            fixed_amount=properties.amount("fixed_amount", default="0"),
            free_events=properties.whole("free_events", default="0"),
            free_amount=properties.amount("free_amount", default="0"),
            minimum_per_event=minimum,
            maximum_per_event=maximum,
        )

    @property
    def share(self) -> Decimal:
        """The percentage as a factor: 0.013 for 1.3 percent."""
        return EXACT.scaleb(self.rate_percent, -2)

    def begin(self) -> "PercentageTally":
        """Return a tally without events."""
        return PercentageTally(self)


@dataclass(slots=True)
class Alike:
    """Events that are priced alike: how many, and how much of their amounts."""

    events: int = 0
    units: Decimal = ZERO

    def add(self, units: Decimal, *, events: int = 1) -> None:
        """Count more of them."""
        self.events += events
        self.units += units

    def tier(self, *, each: Decimal, share: Decimal = ZERO) -> TierAmount:
        """Return what they come to at ``share`` of their amounts plus ``each`` for every event."""
        flat = each * self.events
        return TierAmount(ZERO, None, self.units, share, flat, self.units * share + flat, events=self.events)


@dataclass(slots=True)
class PercentageTally:
    """What a price comes to for the events so far, which are added in the order they happened."""

    price: PercentagePrice
    free: Alike = field(default_factory=Alike)
    rated: Alike = field(default_factory=Alike)
    #: Events lifted to the minimum, and those cut to the maximum.
    lifted: Alike = field(default_factory=Alike)
    cut: Alike = field(default_factory=Alike)

    def add(self, amount: Decimal) -> Decimal:
        """
        Count one more event and return what it adds; one of 0 or less bills nothing and uses up nothing that is free.

        An event that is free in part pays for the rest, with the fixed amount and within the bounds.
        """
        if amount <= ZERO:
            return ZERO
        free = min(amount, self._left_free())
        paid = amount - free
        self.free.add(free, events=0 if paid else 1)
        return self._charge(paid) if paid else ZERO

    def rating(self) -> Rating:
        """Return what all events come to: the free ones, those priced, those lifted and those cut, where there are."""
        price = self.price
        tiers = [self.free.tier(each=ZERO)] if self.free.units else []
        if self.rated.events:
            tiers.append(self.rated.tier(each=price.fixed_amount, share=price.share))
        if self.lifted.events:
            tiers.append(self.lifted.tier(each=price.minimum_per_event))
        if self.cut.events:
            tiers.append(self.cut.tier(each=price.maximum_per_event or ZERO))
        return sum_up(tiers)

    def _left_free(self) -> Decimal:
        """Return how much of the next event is free: all, where only their number is limited."""
        price = self.price
        if not price.free_events and not price.free_amount:
            return ZERO
        if price.free_events and self.free.events >= price.free_events:
            return ZERO
        return price.free_amount - self.free.units if price.free_amount else Decimal("Infinity")

    def _charge(self, paid: Decimal) -> Decimal:
        """Price one event of which ``paid`` is not free."""
        price = self.price
        amount = paid * price.share + price.fixed_amount
        if amount < price.minimum_per_event:
            self.lifted.add(paid)
            return price.minimum_per_event
        if price.maximum_per_event is not None and amount > price.maximum_per_event:
            self.cut.add(paid)
            return price.maximum_per_event
        self.rated.add(paid)
        return amount
