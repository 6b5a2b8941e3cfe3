"""A gateway of AWS from end to end: connected, mapped, restored, drifted, restored again, in our own records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from catalog.limits import parse_limits
from catalog.models import GatewayMapping, Product, SyncStatus
from catalog.operations.gateway_mappings import create_gateway_mapping, request_check, request_restore
from catalog.operations.gateway_sync import run_jobs
from catalog.operations.gateways import GatewayFields, create_gateway
from catalog.operations.rate_plans import activate_rate_plan
from config.kernel.errors import Invalid
from tests.factories import make_plan, make_product
from tests.gateways.aws_cases import judged
from tests.gateways.fakes.aws import FakeAws
from tests.gateways.fakes.aws_front import ACCESS_KEY, REGION, SECRET_KEY

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CREDENTIALS = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY}


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with judged() as gateway:
        yield gateway


@pytest.fixture
def product() -> Product:
    product = make_product(code="weather", now=NOW)
    sell(product, code="gold", rate_per_second=10, quota_per_month=1000)
    return product


def sell(product: Product, *, code: str, **limits: int) -> None:
    """Activate a rate plan with limits."""
    plan = make_plan(product=product, code=code, name=code.title(), active=False, now=NOW)
    plan.limits = parse_limits(limits)
    plan.save_changes("limits", now=NOW)
    activate_rate_plan(plan.id, now=NOW)


def mapped(fake: FakeAws, product: Product, *, accepts_approximations: bool = False) -> GatewayMapping:
    """Connect the account and map the product to a stage."""
    fields = GatewayFields(name="AWS", base_url=fake.base_url, settings={"region": REGION})
    gateway = create_gateway(fields, vendor="AWS_API_GATEWAY", credentials=CREDENTIALS, now=NOW)
    return create_gateway_mapping(
        product=product.id,
        gateway=gateway.id,
        external_ref="a1/prod",
        accepts_approximations=accepts_approximations,
        now=NOW,
    )


def worked(mapping: GatewayMapping, now: datetime = NOW) -> GatewayMapping:
    """Do the jobs that wait and return the mapping as it is then."""
    run_jobs(mapping.gateway_id, clock=lambda: now)
    mapping.refresh_from_db()
    return mapping


def test_a_mapping_is_restored_drifts_and_is_restored_again(fake: FakeAws, product: Product) -> None:
    mapping = worked(mapped(fake, product))
    assert (mapping.status, mapping.drift_reason) == (SyncStatus.STALE, "never_applied")
    request_restore(mapping.id, now=NOW)
    assert worked(mapping).status == SyncStatus.SYNCED

    (made,) = fake.plans.values()
    assert made["tags"]["meterdesk:product"] == product.id
    made["throttle"]["rateLimit"] = 99.5
    request_check(mapping.id, now=NOW)
    worked(mapping)
    assert (mapping.status, mapping.drift_reason) == (SyncStatus.STALE, "gateway_changed")
    (drift,) = mapping.drift
    assert {name: drift[name] for name in ("kind", "field", "record", "gateway")} == {
        "kind": "usage plan", "field": "throttle.rateLimit", "record": "10", "gateway": "99.5",
    }  # fmt: skip

    request_restore(mapping.id, now=NOW)
    assert worked(mapping).status == SyncStatus.SYNCED
    assert made["id"] in fake.plans
    assert len(fake.plans) == 1


def test_more_changes_than_aws_takes_at_once_are_made_one_after_the_other(fake: FakeAws, product: Product) -> None:
    sell(product, code="silver", rate_per_second=5)
    mapping = mapped(fake, product)
    request_restore(mapping.id, now=NOW)
    worked(mapping)
    for made in fake.plans.values():
        made["throttle"]["rateLimit"] = 99.5
    request_restore(mapping.id, now=NOW)

    worked(mapping)

    assert mapping.status == SyncStatus.PENDING
    assert sorted(made["throttle"]["rateLimit"] == 99.5 for made in fake.plans.values()) == [False, True]
    assert mapping.next_try_at is not None
    assert NOW < mapping.next_try_at <= NOW + timedelta(seconds=20)
    assert len(fake.requests("PATCH")) == 1


def test_a_stage_that_is_missing_is_an_error_until_it_is_there(fake: FakeAws, product: Product) -> None:
    mapping = mapped(fake, product)
    request_restore(mapping.id, now=NOW)
    fake.stages.clear()
    worked(mapping)
    assert (mapping.status, mapping.last_error_code) == (SyncStatus.ERROR, "object_missing")
    assert "There is no stage prod of a REST API a1 in eu-west-1" in mapping.last_error

    fake.stages.add(("a1", "prod"))
    request_restore(mapping.id, now=NOW)

    assert worked(mapping).status == SyncStatus.SYNCED


@pytest.mark.parametrize(("accepts", "status"), [(False, SyncStatus.ERROR), (True, SyncStatus.SYNCED)])
def test_a_rate_per_minute_is_sent_only_where_somebody_agreed(fake: FakeAws, accepts: bool, status: str) -> None:
    product = make_product(now=NOW)
    sell(product, code="gold", rate_per_minute=100)
    mapping = mapped(fake, product, accepts_approximations=accepts)
    request_restore(mapping.id, now=NOW)

    assert worked(mapping).status == status
    assert len(fake.plans) == int(accepts)


def test_two_quotas_that_both_bind_are_an_error_that_names_the_plan(fake: FakeAws) -> None:
    product = make_product(now=NOW)
    sell(product, code="max", quota_per_day=100, quota_per_month=1000)

    mapping = worked(mapped(fake, product))

    assert (mapping.status, mapping.last_error_code) == (SyncStatus.ERROR, "unsupported")
    assert "AWS takes one quota for a usage plan" in mapping.last_error


def test_what_the_form_asks_for_is_checked_by_name(fake: FakeAws) -> None:
    fields = GatewayFields(name="AWS", base_url=fake.base_url, settings={"region": "eu-west-1", "external_id": "x"})

    with pytest.raises(Invalid) as refusal:
        create_gateway(fields, vendor="AWS_API_GATEWAY", credentials=CREDENTIALS, now=NOW)

    assert refusal.value.param == "settings.external_id"
