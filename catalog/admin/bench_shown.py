"""What the price bench shows of prices: charges with their tiers, what a plan leaves free, the difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.models import Metric, RatePlan
from catalog.pricing import TierAmount
from catalog.queries.plan_prices import difference
from catalog.queries.prices import PlanPrice, PricedCharge, TrueUp, UnitsUsed
from catalog.terms import charge_name
from config.kernel.money import ZERO, display_money, plain


def price_shown(price: PlanPrice) -> dict[str, Any]:
    """Return what a plan comes to as the page prints it."""
    currency, settlement = price.plan.currency, price.settlement
    return {
        "plan": price.plan,
        "charges": [_charge_shown(one, currency) for one in price.charges],
        "base_fee": display_money(settlement.base, currency),
        "true_ups": [_true_up_shown(one, price.plan) for one in price.true_ups],
        "capped": display_money(-settlement.capped, currency) if settlement.capped else "",
        "maximum": display_money(price.plan.maximum_spend, currency) if settlement.capped else "",
        "interval": price.plan.get_interval_display().lower(),
        "amount": display_money(price.amount, currency),
        "total": display_money(price.total, currency),
    }


def _charge_shown(priced: PricedCharge, currency: str) -> dict[str, Any]:
    return {
        "name": charge_name(priced.charge),
        "model": priced.charge.get_model_display(),
        "units": _number(priced.units),
        "amount": display_money(priced.amount, currency),
        "tiers": [_tier_shown(tier, currency) for tier in priced.tiers],
    }


def _true_up_shown(true_up: TrueUp, plan: RatePlan) -> dict[str, str]:
    """Return which minimum is made up for, and by how much."""
    charge = true_up.charge
    least = plan.minimum_commitment if charge is None else charge.minimum_amount
    what = "minimum commitment" if charge is None else f"minimum of {charge_name(charge)}"
    return {
        "label": f"True-up to the {what} of {display_money(least or ZERO, plan.currency)}",
        "amount": display_money(true_up.amount, plan.currency),
    }


def _tier_shown(tier: TierAmount, currency: str) -> dict[str, str]:
    per = "" if tier.package_size is None else f" per started {_number(tier.package_size)}"
    return {
        "span": _span(tier),
        "units": _number(tier.units),
        "unit_amount": f"{display_money(tier.unit_amount, currency)}{per}",
        "flat_amount": display_money(tier.flat_amount, currency) if tier.flat_amount else "–",
        "amount": display_money(tier.amount, currency),
    }


def _span(tier: TierAmount) -> str:
    """Return which units a tier is of, or how many events are priced alike."""
    if tier.events is not None:
        return f"{tier.events:,} event{'' if tier.events == 1 else 's'}"
    if tier.up_to is None:
        return f"above {_number(tier.above)}" if tier.above else "all"
    return f"{_number(tier.above)} to {_number(tier.up_to)}"


def _number(number: Any) -> str:
    return f"{plain(number):,f}"


def comparison_shown(prices: Sequence[PlanPrice]) -> dict[str, Any]:
    """Return how the first of two prices stands to the second; empty where there are not two."""
    if len(prices) < 2:
        return {}
    mine, other = prices
    more = difference(mine, other)
    return {
        "other": other.plan,
        "difference": display_money(abs(more), mine.plan.currency),
        "direction": "more" if more > ZERO else "less" if more else "the same",
        "intervals_differ": mine.plan.interval != other.plan.interval,
    }


def uncharged_shown(usage: Sequence[UnitsUsed], prices: Sequence[PlanPrice]) -> list[dict[str, Any]]:
    """Return, for each plan that leaves some of the ``usage`` free, what that is."""
    metrics = Metric.objects.in_bulk([used.metric for used in usage])
    return [
        {"plan": price.plan, "usage": [_used_shown(usage[position], metrics) for position in price.uncharged]}
        for price in prices
        if price.uncharged
    ]


def _used_shown(used: UnitsUsed, metrics: dict[Any, Metric]) -> str:
    values = ", ".join(used.dimensions.values())
    amounts = used.event_amounts or ()
    units = _number(used.units) if used.units is not None else f"{len(amounts):,} events"
    return f"{metrics[used.metric]}{f' ({values})' if values else ''}: {units}"
