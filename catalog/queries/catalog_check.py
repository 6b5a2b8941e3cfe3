"""The check of the catalog: gaps, overlaps and loose ends over all products, plans and metrics, worst first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db.models import Prefetch, prefetch_related_objects

from catalog.flaws import Flaw, Severity, registered_checks
from catalog.models import Charge, MaturityStage, Metric, PlanStatus, Product, PublishStatus, RatePlan
from catalog.queries.charge_checks import charge_flaws
from config.kernel.money import display_money

#: After how long a draft that nobody touches is a loose end.
UNTOUCHED = timedelta(days=90)

#: What the check reads of each plan.
CHARGES = Prefetch("charges", Charge.objects.select_related("metric"))


def check_catalog(*, now: datetime) -> list[Flaw]:
    """
    Return every flaw of the catalog and those that higher apps know of, worst first.

    Archived plans are left alone: they are sold no more, and cannot be changed. A handful of queries; every charge of
    the other plans is looked at.
    """
    plans = _plans()
    products = list(Product.objects.order_by("created_at", "id"))
    metrics = list(Metric.objects.order_by("created_at", "id"))
    found = [flaw for plan in plans for flaw in plan_flaws(plan, now=now)]
    found += _product_flaws(products, plans)
    found += _version_flaws(plans)
    found += _metric_flaws(metrics, plans)
    found += [flaw for check in registered_checks() for flaw in check(now)]
    return worst_first(found)


def check_plan(plan: RatePlan, *, now: datetime) -> list[Flaw]:
    """Return the flaws of one plan by itself, worst first; of an archived one none, for nothing can be done."""
    if plan.status == PlanStatus.ARCHIVED:
        return []
    prefetch_related_objects([plan], "product", CHARGES)
    return worst_first(plan_flaws(plan, now=now))


def worst_first(flaws: Iterable[Flaw]) -> list[Flaw]:
    """Return ``flaws`` by severity, those of one severity in their order."""
    return sorted(flaws, key=lambda flaw: flaw.severity.rank)


def plan_flaws(plan: RatePlan, *, now: datetime) -> Iterator[Flaw]:
    """Yield the flaws of one plan, which comes with its product and charges."""
    charges = sorted(plan.charges.all(), key=lambda charge: charge.position)
    yield from charge_flaws(plan, charges)
    yield from _bound_flaws(plan, charges)
    if plan.status == PlanStatus.ACTIVE and plan.product.maturity_stage == MaturityStage.RETIRED:
        yield Flaw(
            code="active_plan_of_retired_product", severity=Severity.WARNING, about=plan,
            message=f"The plan is active, but its product {plan.product} is retired: nobody can subscribe to it.",
            advice="Archive the plan.",
        )  # fmt: skip
    if plan.status == PlanStatus.DRAFT and plan.updated_at < now - UNTOUCHED:
        yield Flaw(
            code="draft_untouched", severity=Severity.HINT, about=plan,
            message=f"Nobody has touched this draft since {plan.updated_at:%Y-%m-%d}.",
            advice="Activate it if it is finished; else leave it or remove it.",
        )  # fmt: skip


def _bound_flaws(plan: RatePlan, charges: Sequence[Charge]) -> Iterator[Flaw]:
    """Yield that a plan costs nothing, or always the same."""
    if not plan.amount and not plan.minimum_commitment and not charges:
        yield Flaw(
            code="plan_costs_nothing", severity=Severity.WARNING, about=plan,
            message="The plan has no base fee and no charges: whoever is on it pays nothing.",
            advice="Leave it so if it is meant to be free; else set a base fee or add charges.",
        )  # fmt: skip
    least = plan.amount + sum(charge.minimum_amount for charge in charges)
    if plan.maximum_spend is not None and least > plan.maximum_spend:
        shown = [display_money(one, plan.currency) for one in (least, plan.maximum_spend)]
        yield Flaw(
            code="minimums_beyond_maximum", severity=Severity.WARNING, about=plan,
            message=f"Base fee and minimums of the charges come to {shown[0]}, the maximum spend is {shown[1]}: every "
            "period costs that, whatever is used.",
            advice="Raise the maximum spend, or lower the minimums.",
        )  # fmt: skip


def _plans() -> list[RatePlan]:
    found = RatePlan.objects.exclude(status=PlanStatus.ARCHIVED).select_related("product")
    return list(found.prefetch_related(CHARGES).order_by("code", "version"))


def _product_flaws(products: Sequence[Product], plans: Sequence[RatePlan]) -> Iterator[Flaw]:
    sold = {plan.product_id for plan in plans if plan.status == PlanStatus.ACTIVE}
    for product in products:
        is_shown = product.publish_status == PublishStatus.PUBLISHED and product.is_subscribable
        if is_shown and product.pk not in sold:
            yield Flaw(
                code="published_without_plan", severity=Severity.ERROR, about=product,
                message="The storefront shows the product, but no active plan sells it.",
                advice="Activate a rate plan, or archive the product in the storefront.",
            )  # fmt: skip


def _version_flaws(plans: Sequence[RatePlan]) -> Iterator[Flaw]:
    """Yield the active versions that a newer active one has taken the place of."""
    newest: dict[str, RatePlan] = {plan.code: plan for plan in plans if plan.status == PlanStatus.ACTIVE}
    for plan in plans:
        if plan.status == PlanStatus.ACTIVE and newest[plan.code] != plan:
            yield Flaw(
                code="older_version_active", severity=Severity.HINT, about=plan,
                message=f"Version {plan.version} still takes new subscriptions beside version "
                f"{newest[plan.code].version}.",
                advice="Archive it; its subscriptions go on as before.",
            )  # fmt: skip


def _metric_flaws(metrics: Sequence[Metric], plans: Sequence[RatePlan]) -> Iterator[Flaw]:
    charged = {charge.metric_id for plan in plans for charge in plan.charges.all()}
    alike: dict[tuple[object, ...], list[Metric]] = defaultdict(list)
    for metric in metrics:
        if metric.pk not in charged:
            yield Flaw(
                code="metric_not_charged", severity=Severity.HINT, about=metric,
                message="No active plan and no draft charges this metric: its usage is not counted for new customers.",
                advice="Add a charge on it to a plan, if its usage is to be sold.",
            )  # fmt: skip
        alike[_definition(metric)].append(metric)
    for first, *others in alike.values():
        for metric in others:
            yield Flaw(
                code="metric_defined_twice", severity=Severity.HINT, about=metric,
                message=f"This metric counts the same as {first.name} ({first.code}).",
                advice="Charge one of them only, so that usage is not charged twice.",
            )  # fmt: skip


def _definition(metric: Metric) -> tuple[object, ...]:
    """Return everything that makes a metric what it is, also what is yet to come; a name is no part of it."""
    own = {"id", "code", "name", "created_at", "updated_at"}
    values = (getattr(metric, one.attname) for one in metric._meta.concrete_fields if one.name not in own)
    return tuple(tuple(sorted(value)) if isinstance(value, list) else value for value in values)
