"""Every example of the Customers API, sent to the running server as printed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.conf import settings
from django.utils import timezone

from config.api.json import utc_text
from customers.models import Customer, Subscription
from tests.billing.usage_wire import JANUARY, use
from tests.customers import documented
from tests.customers.documented import Example, filled, misfits
from tests.factories import (
    make_charge,
    make_metric,
    make_operator_key,
    make_plan,
    make_product,
    make_subscription,
    make_wallet,
)
from tests.processes import environment, serving

#: No other test uses this database of the broker.
BROKER = 8


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sends examples to a server; what answers give is filled into later ones under ``names``."""

    url: str
    secret: str
    names: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """Return status and document of the answer."""
        headers = {"Authorization": f"Bearer {self.secret}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/v1{path}", data=data, headers=headers, method=method)  # noqa: S310 - ours.
        try:
            with urlopen(request, timeout=60) as answer:  # noqa: S310 - an address of ours.
                return answer.status, json.load(answer)
        except HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)

    def replay(self, example: Example) -> Any:
        """Send the example, see that the answer is the documented one, and return it."""
        method, _, path = filled(example.call, self.names).partition(" ")
        status, found = self.send(method, path, filled(example.body, self.names))
        assert status == example.status, (example.call, found)
        assert list(misfits(found, filled(example.shape, self.names))) == [], (example.call, found)
        return found

    def refused(self, example: Example) -> None:
        """Send the example and see that it is refused in the documented words."""
        method, _, path = example.call.partition(" ")
        status, found = self.send(method, path, example.body)
        assert (status, list(found)) == (example.status, ["error"])
        error = found["error"]
        assert {name: error[name] for name in example.shape} == example.shape
        assert set(error) - set(example.shape) <= {"param", "details", "request_id"}
        assert error["request_id"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(180)
def test_the_running_server_answers_every_example_as_documented(tmp_path: Path) -> None:
    _, secret = make_operator_key("*")
    later = utc_text((timezone.now() + timedelta(days=30)).replace(microsecond=0))

    with serving(tmp_path / "web.log", broker=BROKER) as url:
        caller = Caller(url=url, secret=secret, names={"later": later})
        created = caller.replay(documented.CREATE)
        caller.names["customer"] = created["id"]
        lead_an_active_life(caller, created["api_key"])

        for example in (documented.LIST, documented.GET, documented.USAGE, documented.LIST_KEYS, documented.UPDATE):
            caller.replay(example)
        caller.names["key"] = caller.replay(documented.CREATE_KEY)["id"]
        for example in (documented.REVOKE_KEY, documented.SUSPEND, documented.REACTIVATE):
            caller.replay(example)
        for example in documented.REFUSALS:
            caller.refused(example)

        _, other = caller.send("POST", "/customers", {"name": "B", "email": "b@example.com", "create_api_key": False})
        caller.names["customer"] = other["id"]
        caller.replay(documented.DELETE)
        assert caller.send("GET", f"/customers/{other['id']}")[0] == 404


def lead_an_active_life(caller: Caller, key: str) -> None:
    """Let the customer use two models in February and one now, use its key, and have prepaid money left."""
    customer = Customer.objects.get(pk=caller.names["customer"])
    subscription = metered(customer)
    use(subscription, "2026-02-21T10:00:00Z", tokens=380_000, model="inno-ai-boyong-4.5", latency_ms=245)
    use(subscription, "2026-02-21T11:00:00Z", "image", model="inno-flux-1-dev")
    make_wallet(customer=customer, balance="1200.50")
    event = {"transaction_id": "now", "type": "chat", "subscription": subscription.id, "properties": {"tokens": 5}}
    assert caller.send("POST", "/events", event)[0] == 201
    assert caller.send("POST", "/credentials/verify", {"key": key})[1]["code"] == "valid"
    flush = [sys.executable, "manage.py", "flush_last_used"]
    subprocess.run(flush, cwd=settings.BASE_DIR, env=environment(broker=BROKER), check=True, capture_output=True)


def metered(customer: Customer) -> Subscription:
    """Subscribe the customer since January to an agent's plan by tokens and images; an agent has no key."""
    tokens = make_metric(event_type="chat", aggregation="SUM", property="tokens", dimensions=["model"])
    images = make_metric(event_type="image")
    charges = [make_charge(tokens, unit_amount="0.000001"), make_charge(images, unit_amount="0.01")]
    plan = make_plan(product=make_product(product_type="AI_AGENT"), charges=charges)
    return make_subscription(customer=customer, plan=plan, starts_at=JANUARY)


@pytest.mark.parametrize(
    ("value", "shape", "told"),
    [
        ({"a": 1, "b": 2}, {"a": int}, []),
        ({"a": "1"}, {"a": int}, [".a is '1' and not <class 'int'>"]),
        ({"a": True}, {"a": int}, [".a is True and not <class 'int'>"]),
        ({}, {"a": int}, [".a is missing"]),
        ([], {"a": int}, [".a is missing"]),
        ({"a": []}, {"a": [{"b": str}]}, [".a is no list with something in it: []"]),
        ({"a": [{"b": "x"}, {}]}, {"a": [{"b": str}]}, [".a[1].b is missing"]),
        ({"a": ["x"]}, {"a": ["x"]}, []),
        ({"a": ["y"]}, {"a": ["x"]}, [".a is ['y'] and not ['x']"]),
        ("2026-02-21T10:00:00Z", documented.TIME, []),
        ("2026-02-21", documented.TIME, [" is '2026-02-21' and not 'a time'"]),
        (1.5, documented.NUMBER, []),
        ("1.5", documented.NUMBER, [" is '1.5' and not 'a number'"]),
        (1, True, [" is 1 and not True"]),
    ],
)
def test_what_has_not_the_shape_is_told(value: Any, shape: Any, told: list[str]) -> None:
    assert list(misfits(value, shape)) == told
