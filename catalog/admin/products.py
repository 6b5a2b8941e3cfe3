"""Products in the admin: the life cycle as a row of steps, and the one step that is open as an action."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils import timezone

from catalog.models import MaturityStage, PlanStatus, Product, RatePlan
from catalog.operations.products import (
    ProductFields,
    advance_product,
    create_product,
    delete_product,
    update_product,
)
from config.kernel.admin import (
    ChoicesFilter,
    Colour,
    LinkedRows,
    ModelAdmin,
    RecordForm,
    action,
    money_column,
    page_link,
    register,
    status_badge,
)

STAGE_COLOURS: dict[str, Colour] = {
    MaturityStage.BETA: "info",
    MaturityStage.GA: "success",
    MaturityStage.DEPRECATED: "warning",
    MaturityStage.RETIRED: "danger",
}
PLAN_COLOURS: dict[str, Colour] = {PlanStatus.ACTIVE: "success", PlanStatus.ARCHIVED: "warning"}

PLAN_STATUS = status_badge("status", PLAN_COLOURS, ordering="status")
BASE_FEE = money_column("amount", description="base fee")

STAGE_MEANINGS = {
    MaturityStage.EXPERIMENTAL: "Internal testing: customers cannot subscribe yet.",
    MaturityStage.BETA: "Limited availability: customers can subscribe.",
    MaturityStage.GA: "Fully launched: customers can subscribe.",
    MaturityStage.DEPRECATED: "On its way out: no new subscriptions; the existing ones go on unaffected.",
    MaturityStage.RETIRED: "The end of its life: nobody is subscribed, and nobody can subscribe.",
}


class ProductForm(RecordForm):
    """A product as an operator describes it."""

    class Meta:
        model = Product
        fields = ("product_type", "code", "name", "description", "audience")
        help_texts: ClassVar = {
            "product_type": (
                "Decides what a subscription gets: API products a bearer key, AI agents and MCP servers a client id "
                "with a secret. It cannot change once the product exists."
            ),
            "code": "What integrations call the product: lower-case letters, digits, “.”, “_” and “-”. Must be unique.",
            "name": "What customers read.",
            "audience": "Whom the product is meant for.",
        }


class RatePlanInline(LinkedRows):
    """The product's rate plans."""

    model = RatePlan
    verbose_name_plural = "rate plans"
    fields: ClassVar[Any] = (page_link, "code", PLAN_STATUS, "interval", BASE_FEE)
    readonly_fields = fields


def stage_is(stage: MaturityStage) -> Any:
    """Return a condition on products: being in ``stage``."""
    return lambda product: product.maturity_stage == stage


@register(Product)
class ProductAdmin(ModelAdmin):
    """What is sold."""

    form = ProductForm
    list_display = (
        "name",
        "code",
        "product_type",
        status_badge("maturity_stage", STAGE_COLOURS, description="stage"),
        "audience",
        "created_at",
    )
    list_filter = (("product_type", ChoicesFilter), ("maturity_stage", ChoicesFilter), ("audience", ChoicesFilter))
    search_fields = ("name", "code")
    fields = ProductForm.Meta.fields
    inlines = (RatePlanInline,)
    change_form_outer_before_template = "catalog/stages.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Fix the type once the product exists."""
        return [*super().get_readonly_fields(request, obj), *(["product_type"] if obj else [])]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new product has not got yet."""
        return self.inlines if obj else ()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Show the life cycle above the form."""
        if product := context["original"]:
            context = {**context, "stages": steps_of(product), "stage_meaning": STAGE_MEANINGS[product.maturity_stage]}
        return super().render_change_form(request, context, *args, **kwargs)

    def create(self, request: HttpRequest, form: Any) -> Product:
        """Create a product in EXPERIMENTAL."""
        asked = dict(form.cleaned_data)
        product_type = asked.pop("product_type")
        return create_product(ProductFields(**asked), product_type=product_type, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Product:
        """Change what an operator describes."""
        return update_product(obj_id, now=timezone.now(), **form.cleaned_data)

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete the product with its rate plans."""
        delete_product(obj_id, confirm=cleaned["confirm"])

    @action("Advance to BETA", permissions=["change"], when=stage_is(MaturityStage.EXPERIMENTAL))
    def advance_to_beta(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """From BETA on customers can subscribe to the active rate plans; there is no way back to EXPERIMENTAL."""
        return advance(product_id, MaturityStage.BETA)

    @action("Advance to GA", permissions=["change"], when=stage_is(MaturityStage.BETA))
    def advance_to_ga(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """GA says that the product is fully launched; subscriptions go on as they are, and there is no way back."""
        return advance(product_id, MaturityStage.GA)

    @action("Advance to DEPRECATED", permissions=["change"], when=stage_is(MaturityStage.GA), danger=True)
    def advance_to_deprecated(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """From DEPRECATED on there are no new subscriptions; existing ones go on, and there is no way back to GA."""
        return advance(product_id, MaturityStage.DEPRECATED)

    @action("Advance to RETIRED", permissions=["change"], when=stage_is(MaturityStage.DEPRECATED), danger=True)
    def advance_to_retired(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """RETIRED is the end: it is refused while anybody is subscribed, and there is no way back."""
        return advance(product_id, MaturityStage.RETIRED)


def advance(product_id: str, stage: MaturityStage) -> str:
    """Move the product to ``stage`` and return the sentence that says so."""
    product = advance_product(product_id, to=stage, now=timezone.now())
    return f"{product} is now {stage}."


def steps_of(product: Product) -> list[dict[str, str]]:
    """Return the stages in order, each as ``done``, ``current`` or ``ahead``."""
    stages = list(MaturityStage)
    now_at = stages.index(MaturityStage(product.maturity_stage))
    states = ["done"] * now_at + ["current"] + ["ahead"] * (len(stages) - now_at - 1)
    return [{"label": str(stage.label), "state": state} for stage, state in zip(stages, states, strict=True)]
