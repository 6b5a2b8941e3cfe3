"""The demo's catalog: two products, three metrics, three rate plans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalog.models import Aggregation, ChargeModel, MaturityStage, Metric, Product, ProductType, RatePlan
from catalog.operations.metrics import create_metric
from catalog.operations.products import ProductFields, advance_product, create_product
from catalog.operations.rate_plans import ChargeSpec, activate_rate_plan, create_rate_plan
from config.demo.prices import token_price

#: The models on sale, as the price list names them.
MODELS = (("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("moonshotai", "kimi-k2"))


@dataclass(frozen=True, kw_only=True)
class DemoCatalog:
    """The active plans by what they are for."""

    tokens_usd: RatePlan
    tokens_eur: RatePlan
    tools_inr: RatePlan


def build_catalog(*, now: datetime) -> DemoCatalog:
    """Create products, metrics and plans."""
    inference = _product("inference-api", "Inference API", ProductType.STANDARD_API, now)
    tools = _product("docs-mcp", "Docs MCP server", ProductType.MCP_SERVER, now)
    tokens = [
        create_metric(
            code=f"{kind}-tokens",
            name=f"{kind.capitalize()} tokens",
            aggregation=Aggregation.SUM,
            event_type="llm.request",
            property=f"{kind}_tokens",
            dimensions=["model"],
            now=now,
        )
        for kind in ("input", "output")
    ]
    calls = create_metric(
        code="tool-calls", name="Tool calls", aggregation=Aggregation.COUNT, event_type="mcp.call", now=now
    )
    by_token = [charge for provider, model in MODELS for charge in _token_charges(provider, model, tokens)]
    steps = {
        "tiers": [
            {"up_to": "1000", "unit_amount": "0", "flat_amount": "0"},
            {"up_to": "100000", "unit_amount": "0.25"},
            {"up_to": None, "unit_amount": "0.15"},
        ]
    }
    return DemoCatalog(
        tokens_usd=_plan(inference, "pro", "Pro", "49", "USD", by_token, now),
        tokens_eur=_plan(inference, "pro-eu", "Pro Europe", "45", "EUR", by_token, now),
        tools_inr=_plan(
            tools,
            "tools",
            "Tools",
            "1999",
            "INR",
            [ChargeSpec(metric=calls.id, model=ChargeModel.GRADUATED, properties=steps)],
            now,
        ),
    )


def _product(code: str, name: str, product_type: str, now: datetime) -> Product:
    product = create_product(ProductFields(code=code, name=name), product_type=product_type, now=now)
    advance_product(product.id, to=MaturityStage.BETA, now=now)
    return advance_product(product.id, to=MaturityStage.GA, now=now)


def _token_charges(provider: str, model: str, metrics: list[Metric]) -> list[ChargeSpec]:
    price = token_price(provider, model)
    return [
        ChargeSpec(
            metric=metric.id,
            model=ChargeModel.STANDARD,
            properties={"unit_amount": f"{amount:f}"},
            match={"model": [model]},
        )
        for metric, amount in zip(metrics, (price.input, price.output), strict=True)
    ]


def _plan(
    product: Product, code: str, name: str, amount: str, currency: str, charges: list[ChargeSpec], now: datetime
) -> RatePlan:
    plan = create_rate_plan(
        product=product.id,
        code=code,
        name=name,
        interval="month",
        amount=Decimal(amount),
        currency=currency,
        charges=charges,
        now=now,
    )
    return activate_rate_plan(plan.id, now=now)
