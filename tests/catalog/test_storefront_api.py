"""The storefront feed: published products with the prices of what can be subscribed to, by audience."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from catalog.operations.products import advance_product, set_publish_status
from catalog.operations.rate_plans import archive_rate_plan
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.factories import NOW, make_charge, make_metric, make_plan, make_product, make_tax

pytestmark = pytest.mark.django_db

FEED = "/v1/storefront/products"


@pytest.fixture
def visitor(api_of: Callable[..., APIClient]) -> APIClient:
    """Return a client of the API that may see what everybody may see."""
    return api_of("storefront:read")


def test_a_published_product_is_shown_with_the_prices_of_its_active_plans(visitor: APIClient) -> None:
    product = make_product(code="chat", name="Chat", description="Talk", publish_status="PUBLISHED")
    metric = make_metric(name="Tokens", dimensions=["model"])
    charge = make_charge(metric, unit_amount="0.0000025", match={"model": ["gpt-4o"]})
    terms: dict[str, Any] = {"trial_days": 14, "minimum_commitment": Decimal(60), "limits": {"rate_per_minute": 100}}
    taxes = [make_tax(name="VAT", rate_percent="19").id]
    pro = make_plan(
        product=product, code="pro", name="Pro", amount=Decimal("49.90"), charges=[charge], taxes=taxes, **terms
    )
    make_plan(product=product, active=False)
    archive_rate_plan(make_plan(product=product).id, now=NOW)

    [shown] = visitor.get(FEED).json()["data"]

    assert shown == {
        "id": product.id, "code": "chat", "name": "Chat", "description": "Talk", "product_type": "STANDARD_API",
        "audience": "EXTERNAL", "maturity_stage": "GA",
        "rate_plans": [
            {
                "id": pro.id, "code": "pro", "name": "Pro", "version": 1, "interval": "month", "amount": 49.9,
                "currency": "USD", "pay_in_advance": False, **terms, "maximum_spend": None,
                "taxes": [{"name": "VAT", "rate_percent": 19}],
                "charges": [
                    {
                        "id": pro.charges.get().id, "name": "Tokens", "metric": metric.id, "model": "STANDARD",
                        "properties": {"unit_amount": "0.0000025"}, "match": {"model": ["gpt-4o"]}, "minimum_amount": 0,
                        "prorated": False,
                    }
                ],
            }
        ],
        "created_at": "2026-03-10T12:00:00Z", "updated_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    assert visitor.get(f"{FEED}/{product.id}").json() == shown


def test_the_feed_follows_publication_and_maturity(visitor: APIClient) -> None:
    product = make_product(stage="BETA", publish_status="IN_REVIEW")

    def is_shown() -> bool:
        found = ids_of(visitor.get(FEED)) == [product.id]
        assert visitor.get(f"{FEED}/{product.id}").status_code == (200 if found else 404)
        return found

    assert not is_shown()
    set_publish_status(product.id, to="PUBLISHED", now=NOW)
    assert is_shown()
    advance_product(product.id, to="GA", now=NOW)
    assert is_shown()
    advance_product(product.id, to="DEPRECATED", now=NOW)
    assert not is_shown()


def test_a_key_sees_what_is_meant_for_it(api_of: Callable[..., APIClient], visitor: APIClient, api: APIClient) -> None:
    everybody, partners, ourselves = [
        make_product(audience=audience, publish_status="PUBLISHED") for audience in ("EXTERNAL", "PARTNER", "INTERNAL")
    ]
    partner = api_of("storefront:read", "storefront:partner")

    assert ids_of(visitor.get(FEED)) == [everybody.id]
    for client in (partner, api):
        assert ids_of(client.get(FEED)) == [partners.id, everybody.id]
        assert client.get(f"{FEED}/{partners.id}").status_code == 200
        assert code_of(client.get(f"{FEED}/{ourselves.id}")) == (404, "product_not_found")
    assert code_of(visitor.get(f"{FEED}/{partners.id}")) == (404, "product_not_found")


def test_the_storefront_has_a_scope_of_its_own(api_of: Callable[..., APIClient], visitor: APIClient) -> None:
    for stranger in (api_of("catalog:read"), api_of("storefront:partner")):
        assert error_of(stranger.get(FEED))["details"]["required"] == "storefront:read"
    assert code_of(APIClient().get(FEED)) == (401, "authentication_required")
    assert visitor.get(FEED).status_code == 200
    assert code_of(visitor.get("/v1/products")) == (403, "insufficient_scope")
    assert code_of(visitor.post(FEED, {})) == (405, "method_not_allowed")


def test_the_feed_is_filtered(visitor: APIClient) -> None:
    api = make_product(code="api", publish_status="PUBLISHED", stage="BETA")
    agent = make_product(code="agent", publish_status="PUBLISHED", product_type="AI_AGENT")

    assert ids_of(visitor.get(f"{FEED}?product_type=AI_AGENT")) == [agent.id]
    assert ids_of(visitor.get(f"{FEED}?code=api")) == [api.id]
    assert ids_of(visitor.get(f"{FEED}?maturity_stage=BETA")) == [api.id]
    refused = visitor.get(f"{FEED}?maturity_stage=RETIRED")
    assert refusal_of(refused) == (400, "invalid_maturity_stage", "maturity_stage")


def test_the_feed_asks_the_database_as_often_for_many_as_for_one(
    visitor: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(4):
        product = make_product(publish_status="PUBLISHED")
        make_plan(product=product, charges=[make_charge(make_metric())])

    with django_assert_max_num_queries(9):
        assert len(ids_of(visitor.get(FEED))) == 4
