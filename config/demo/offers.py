"""What the demo sells besides its plans, and the next version of one: shown in the storefront, compared, taxed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from catalog.models import Aggregation, Charge, ChargeModel, CouponFrequency, CouponKind, PublishStatus, RatePlan
from catalog.operations.add_ons import create_add_on
from catalog.operations.coupons import CouponValue, create_coupon
from catalog.operations.metrics import create_metric
from catalog.operations.plan_versions import clone_rate_plan
from catalog.operations.products import set_publish_status
from catalog.operations.rate_plans import ChargeSpec, update_rate_plan
from catalog.operations.taxes import create_tax, set_plan_taxes
from catalog.queries.charges import charges_of

#: What part of its price a token costs in the next version.
DISCOUNT = Decimal("0.9")


def add_offers(plan: RatePlan, european: RatePlan, *, now: datetime) -> None:
    """Publish the product of ``plan``, draft its next version, tax the ``european`` one, add an add-on and a coupon."""
    for status in (PublishStatus.IN_REVIEW, PublishStatus.PUBLISHED):
        set_publish_status(plan.product_id, to=status, now=now)
    vat = create_tax(code="vat-de", name="German VAT", rate_percent=Decimal(19), now=now)
    set_plan_taxes(european.id, taxes=[vat.id], now=now)
    create_add_on(code="onboarding", name="Onboarding day", amount=Decimal(800), currency="USD", now=now)
    value = CouponValue(
        kind=CouponKind.PERCENTAGE, rate_percent=Decimal(20), frequency=CouponFrequency.RECURRING, periods=3
    )
    create_coupon(value, code="launch-20", name="Launch: 20% for three months", plans=[plan.id], now=now)
    draft_next_version(plan, now=now)


def draft_next_version(plan: RatePlan, *, now: datetime) -> RatePlan:
    """Draft the next version of ``plan``: a higher base fee with a trial, cheaper tokens, and seats by the day."""
    seats = create_metric(
        code="seats",
        name="Seats",
        aggregation=Aggregation.UNIQUE_COUNT,
        event_type="seat",
        property="user",
        recurring=True,
        now=now,
    )
    by_seat = ChargeSpec(metric=seats.id, model=ChargeModel.STANDARD, properties={"unit_amount": "8"}, prorated=True)
    draft = clone_rate_plan(plan.id, now=now)
    return update_rate_plan(
        draft.id,
        amount=plan.amount + 10,
        trial_days=14,
        minimum_commitment=plan.amount + 50,
        charges=[*(_cheaper(charge) for charge in charges_of(plan.id)), by_seat],
        now=now,
    )


def _cheaper(charge: Charge) -> ChargeSpec:
    """Return ``charge`` with a lower price, limited to what it was."""
    amount = Decimal(charge.properties["unit_amount"]) * DISCOUNT
    return ChargeSpec(
        metric=charge.metric_id,
        model=charge.model,
        properties={"unit_amount": f"{amount.normalize():f}"},
        match=charge.match,
    )
