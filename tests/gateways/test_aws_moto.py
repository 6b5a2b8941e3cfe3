"""
AWS API Gateway as moto plays it: a counterpart that nobody of us wrote, over HTTP.

moto reads rates as whole numbers when it patches them, knows no pages and no signatures, and lets go of usage plans
that still have stages; what it leaves out is played by our own small gateway.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from moto.server import ThreadedMotoServer

from catalog.gateways.aws import AwsAdapter
from catalog.gateways.aws.client import AwsClient
from catalog.gateways.failures import NotAllowed, ObjectMissing
from catalog.gateways.interface import Connection
from tests.gateways.aws_cases import SECRET, document, grant, missing, plan, restore

RECORD = document(plan("gold", rate_per_second=10, quota_per_month=1000), plan("silver", rate_per_minute=100))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Yield the address of moto."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def adapter(address: str) -> AwsAdapter:
    httpx.post(f"{address}/moto-api/reset", trust_env=False)
    return AwsAdapter(connection(address))


@pytest.fixture
def ref(adapter: AwsAdapter) -> str:
    """Return a stage of an API that somebody made."""
    calls = adapter.client
    api = calls.call("create_rest_api", name="weather")["id"]
    root = calls.call("get_resources", restApiId=api)["items"][0]["id"]
    where = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    calls.call("put_method", **where, authorizationType="NONE", apiKeyRequired=True)
    calls.call("put_method_response", **where, statusCode="200")
    calls.call("put_integration", **where, type="HTTP", uri="http://example.com", integrationHttpMethod="GET")
    calls.call("put_integration_response", **where, statusCode="200", responseTemplates={})
    calls.call("create_deployment", restApiId=api, stageName="prod")
    return f"{api}/prod"


def connection(address: str, **settings: str) -> Connection:
    return Connection(
        id="gate_1",
        vendor="AWS_API_GATEWAY",
        base_url=address,
        settings={"region": "eu-west-1", **settings},
        credentials={"access_key_id": "AKIAEXAMPLE000000001", "secret_access_key": "any"},
        mark="aforo",
        retry_wait_s=(0.0, 0.01),
        inside=("127.0.0.0/8",),
    )


def plans(calls: AwsClient) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in calls.pages("get_usage_plans")}


def test_plans_are_made_changed_and_deleted(adapter: AwsAdapter, ref: str) -> None:
    assert restore(adapter, RECORD, ref) == ["create", "create"]
    assert restore(adapter, RECORD, ref) == []
    gold = plans(adapter.client)["aforo-weather-gold-v1"]
    assert (gold["throttle"], gold["quota"]["limit"]) == ({"rateLimit": 10.0, "burstLimit": 10}, 1000)

    changed = document(plan("gold", rate_per_second=20, burst=50, quota_per_day=70), plan("silver"))
    assert restore(adapter, changed, ref) == ["update", "update"]
    assert missing(adapter, changed, ref) == []
    assert "throttle" not in plans(adapter.client)["aforo-weather-silver-v1"]

    assert restore(adapter, document(plan("silver")), ref) == ["delete"]
    assert list(plans(adapter.client)) == ["aforo-weather-silver-v1"]


def test_what_somebody_changed_by_hand_is_found_and_mended(adapter: AwsAdapter, ref: str) -> None:
    restore(adapter, RECORD, ref)
    gold = plans(adapter.client)["aforo-weather-gold-v1"]
    by_hand = [
        {"op": "replace", "path": "/throttle/rateLimit", "value": "99"},
        {"op": "remove", "path": "/quota"},
        {"op": "remove", "path": "/apiStages", "value": ref.replace("/", ":")},
    ]
    adapter.client.call("update_usage_plan", usagePlanId=gold["id"], patchOperations=by_hand)

    (step,) = missing(adapter, RECORD, ref)
    assert {one.field: one.gateway for one in step.differences} == {
        "throttle.rateLimit": "99",
        "quota": None,
        "stages": None,
    }
    adapter.apply(step, RECORD, ref)

    assert missing(adapter, RECORD, ref) == []


def test_the_life_of_a_key(adapter: AwsAdapter, ref: str) -> None:
    restore(adapter, RECORD, ref)
    calls = adapter.client

    placed = adapter.place_key(grant(), ref, "prod_1")
    key_id = placed.handle["key_id"]
    key = calls.call("get_api_key", apiKey=key_id, includeValue=True)
    assert (key["value"], key["enabled"], key["customerId"]) == (SECRET, True, "cust_1")
    assert adapter.place_key(grant(), ref, "prod_1") == placed
    assert [one["name"] for one in calls.pages("get_usage_plans", keyId=key_id)] == ["aforo-weather-gold-v1"]

    adapter.suspend_key(grant(secret=None), placed.handle, ref)
    assert calls.call("get_api_key", apiKey=key_id)["enabled"] is False

    adapter.place_key(grant("silver", secret=None), ref, "prod_1")
    assert calls.call("get_api_key", apiKey=key_id)["enabled"] is True
    assert [one["name"] for one in calls.pages("get_usage_plans", keyId=key_id)] == ["aforo-weather-silver-v1"]

    adapter.remove_key(grant(secret=None), placed.handle, ref, last=True)
    adapter.remove_key(grant(secret=None), placed.handle, ref, last=True)
    assert list(calls.pages("get_api_keys")) == []


def test_a_stage_that_is_not_there_is_missing(adapter: AwsAdapter, ref: str) -> None:
    with pytest.raises(ObjectMissing, match="There is no stage dev"):
        adapter.fetch(RECORD, ref.replace("prod", "dev"))
    with pytest.raises(ObjectMissing, match="REST API nothing"):
        adapter.fetch(RECORD, "nothing/prod")


def test_a_role_is_taken_on_at_the_token_service(address: str, adapter: AwsAdapter, ref: str) -> None:
    role = "arn:aws:iam::123456789012:role/meterdesk"
    assuming = AwsAdapter(connection(address, role_arn=role, external_id="ext-1"))

    assert restore(assuming, RECORD, ref) == ["create", "create"]


def test_credentials_that_may_not_are_not_allowed(address: str, adapter: AwsAdapter) -> None:
    # moto looks at who signs only where it is told to.
    httpx.post(f"{address}/moto-api/reset-auth", content=b"0", trust_env=False)
    try:
        with pytest.raises(NotAllowed, match="403"):
            AwsAdapter(connection(address)).probe()
    finally:
        httpx.post(f"{address}/moto-api/reset-auth", content=json.dumps(10**9).encode(), trust_env=False)
    adapter.probe()
