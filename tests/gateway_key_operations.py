"""The operations on keys at gateways, with what each leaves in history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from catalog.gateways.failures import Refused
from config.kernel.sealing import seal
from credentials.models import Credential, GatewayKey
from credentials.operations import credentials, gateway_key_outcomes, gateway_key_requests, gateway_sweeps
from credentials.operations.gateway_key_outcomes import Delivered
from tests.factories import NOW, make_gateway_mapping, make_plan, make_subscription

LATER = NOW + timedelta(hours=1)


def sent_key() -> GatewayKey:
    """Return a key that waits to be sent to a gateway."""
    plan = make_plan()
    make_gateway_mapping(product=plan.product)
    subscription = make_subscription(plan=plan)
    return GatewayKey.objects.get(credential__subscription=subscription)


def made_key() -> GatewayKey:
    """Return a key in place of which the gateway made one."""
    key = sent_key()
    GatewayKey.objects.filter(pk=key.pk).update(made=seal({"api_key": "theirs"}, bound_to=key.id))
    return key


def credential_at_gateway() -> Credential:
    """Return a credential that waits to be sent to a gateway."""
    return sent_key().credential


GATEWAY_KEY_OPERATIONS: list[tuple[str, Callable[[], Any], Callable[[Any], object], dict[str, int]]] = [
    (
        "retry_gateway_key",
        sent_key,
        lambda made: gateway_key_requests.retry_gateway_key(made.id, now=LATER),
        {"gatewaykey": 1},
    ),
    (
        "reveal_gateway_key",
        made_key,
        lambda made: gateway_key_requests.reveal_gateway_key(made.id, now=LATER),
        {"gatewaykey": 1},
    ),
    (
        "end_delivery",
        sent_key,
        lambda made: gateway_key_outcomes.end_delivery(made, Delivered(handle={"sid": "one"}), LATER),
        {"gatewaykey": 1},
    ),
    (
        "fail_delivery",
        sent_key,
        lambda made: gateway_key_outcomes.fail_delivery(made, Refused("No"), LATER),
        {"gatewaykey": 1},
    ),
    (
        "sweep_gateway_keys",
        sent_key,
        lambda _: gateway_sweeps.sweep_gateway_keys(now=NOW + timedelta(days=1)),
        {"gatewaykey": 1},
    ),
    (
        "issue_subscription_credential",
        lambda: sent_key().consumer,
        lambda made: credentials.issue_subscription_credential(made.id, now=LATER),
        {"credential": 1, "gatewaykey": 1},
    ),
    (
        "rotate_credential",
        credential_at_gateway,
        lambda made: credentials.rotate_credential(made.id, grace=timedelta(hours=1), now=LATER),
        # The key of the new secret, and when that of the old one has to go.
        {"credential": 1, "gatewaykey": 2},
    ),
    (
        "revoke_credential",
        credential_at_gateway,
        lambda made: credentials.revoke_credential(made.id, now=LATER),
        {"credential": 1, "gatewaykey": 1},
    ),
]
