"""Where a product stands: maturity and publication as rows of steps, and the steps that are open as actions."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from catalog.models import MaturityStage, Product, PublishStatus
from catalog.operations.products import advance_product, set_publish_status
from config.kernel.admin import Colour, ModelAdmin, action

STAGE_COLOURS: dict[str, Colour] = {
    MaturityStage.BETA: "info",
    MaturityStage.GA: "success",
    MaturityStage.DEPRECATED: "warning",
    MaturityStage.RETIRED: "danger",
}
PUBLISH_COLOURS: dict[str, Colour] = {
    PublishStatus.IN_REVIEW: "info",
    PublishStatus.PUBLISHED: "success",
    PublishStatus.ARCHIVED: "warning",
}

STAGE_MEANINGS = {
    MaturityStage.EXPERIMENTAL: "Internal testing: customers cannot subscribe yet.",
    MaturityStage.BETA: "Limited availability: customers can subscribe.",
    MaturityStage.GA: "Fully launched: customers can subscribe.",
    MaturityStage.DEPRECATED: "On its way out: no new subscriptions; the existing ones go on unaffected.",
    MaturityStage.RETIRED: "The end of its life: nobody is subscribed, and nobody can subscribe.",
}
PUBLISH_MEANINGS = {
    PublishStatus.DRAFT: "Work in progress: the storefront does not show it.",
    PublishStatus.IN_REVIEW: "Waiting for approval: the storefront does not show it yet.",
    PublishStatus.PUBLISHED: "The storefront shows it to its audience while it is in BETA or GA.",
    PublishStatus.ARCHIVED: "Hidden from new discovery; subscriptions go on unaffected.",
}


def stage_is(stage: MaturityStage) -> Any:
    """Return a condition on products: being in ``stage``."""
    return lambda product: product.maturity_stage == stage


def published_is(status: PublishStatus) -> Any:
    """Return a condition on products: having the publish ``status``."""
    return lambda product: product.publish_status == status


def is_publishable(product: Product) -> bool:
    """Tell whether the product can be published now."""
    return PublishStatus.PUBLISHED in product.next_publish_statuses


class LifeCycleActions(ModelAdmin):
    """The steps of a product's maturity and of its publication."""

    @action("Advance to BETA", permissions=["change"], when=stage_is(MaturityStage.EXPERIMENTAL), icon="trending_up")
    def advance_to_beta(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """From BETA on customers can subscribe to the active rate plans; there is no way back to EXPERIMENTAL."""
        return advance(product_id, MaturityStage.BETA)

    @action("Advance to GA", permissions=["change"], when=stage_is(MaturityStage.BETA), icon="trending_up")
    def advance_to_ga(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """GA says that the product is fully launched; subscriptions go on as they are, and there is no way back."""
        return advance(product_id, MaturityStage.GA)

    @action(
        "Advance to DEPRECATED",
        permissions=["change"],
        when=stage_is(MaturityStage.GA),
        icon="trending_up",
        danger=True,
    )
    def advance_to_deprecated(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """From DEPRECATED on there are no new subscriptions; existing ones go on, and there is no way back to GA."""
        return advance(product_id, MaturityStage.DEPRECATED)

    @action(
        "Advance to RETIRED",
        permissions=["change"],
        when=stage_is(MaturityStage.DEPRECATED),
        icon="trending_up",
        danger=True,
    )
    def advance_to_retired(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """RETIRED is the end: it is refused while anybody is subscribed, and there is no way back."""
        return advance(product_id, MaturityStage.RETIRED)

    @action("Submit for review", permissions=["change"], when=published_is(PublishStatus.DRAFT), icon="rate_review")
    def submit_for_review(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """The product waits for approval; the storefront does not show it yet."""
        return move(product_id, PublishStatus.IN_REVIEW)

    @action("Publish", permissions=["change"], when=is_publishable, icon="storefront")
    def publish(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """The storefront shows the product and the prices of its active rate plans from now on, in BETA and GA."""
        return move(product_id, PublishStatus.PUBLISHED)

    @action("Return to draft", permissions=["change"], when=published_is(PublishStatus.IN_REVIEW), icon="undo")
    def return_to_draft(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """The review ends without approval, and the product is work in progress again."""
        return move(product_id, PublishStatus.DRAFT)

    @action("Archive", permissions=["change"], when=published_is(PublishStatus.PUBLISHED), icon="archive", danger=True)
    def archive(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """The storefront stops showing the product; subscriptions go on, and its stage stays as it is."""
        return move(product_id, PublishStatus.ARCHIVED)

    @action("Reopen as draft", permissions=["change"], when=published_is(PublishStatus.ARCHIVED), icon="undo")
    def reopen(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """The product is work in progress again and can be submitted for review."""
        return move(product_id, PublishStatus.DRAFT)


def advance(product_id: str, stage: MaturityStage) -> str:
    """Move the product to ``stage`` and return the sentence that says so."""
    product = advance_product(product_id, to=stage, now=timezone.now())
    return f"{product} is now {stage}."


def move(product_id: str, status: PublishStatus) -> str:
    """Move the product to the publish ``status`` and return the sentence that says so."""
    product = set_publish_status(product_id, to=status, now=timezone.now())
    return f"{product} is now {status.label.lower()}."


def life_cycles_of(product: Product) -> list[dict[str, Any]]:
    """Return where the product stands in its maturity and in its publication: name, steps and what it means."""
    stage, status = MaturityStage(product.maturity_stage), PublishStatus(product.publish_status)
    return [
        {"name": "Maturity", "steps": steps_to(stage), "meaning": STAGE_MEANINGS[stage]},
        {"name": "Storefront", "steps": steps_to(status), "meaning": PUBLISH_MEANINGS[status]},
    ]


def steps_to(current: MaturityStage | PublishStatus) -> list[dict[str, str]]:
    """Return the steps in order, each as ``done``, ``current`` or ``ahead``."""
    steps = list(type(current))
    now_at = steps.index(current)
    states = ["done"] * now_at + ["current"] + ["ahead"] * (len(steps) - now_at - 1)
    return [{"label": str(step.label), "state": state} for step, state in zip(steps, states, strict=True)]
