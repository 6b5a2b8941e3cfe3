"""Products in the admin."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import timezone

from catalog.admin.documentation import DocumentationActions, documentation_shown
from catalog.admin.gateway_mappings import mappings_shown
from catalog.admin.life_cycle import PUBLISH_COLOURS, STAGE_COLOURS, LifeCycleActions, life_cycles_of
from catalog.models import PlanStatus, Product, RatePlan
from catalog.models.product import validate_code
from catalog.operations.product_clones import clone_product
from catalog.operations.products import (
    ProductFields,
    create_product,
    delete_product,
    update_product,
)
from config.kernel.admin import (
    ActionForm,
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

PLAN_COLOURS: dict[str, Colour] = {PlanStatus.ACTIVE: "success", PlanStatus.ARCHIVED: "warning"}

PLAN_STATUS = status_badge("status", PLAN_COLOURS, ordering="status")
BASE_FEE = money_column("amount", description="base fee")


class ProductForm(RecordForm):
    """A product as an operator describes it."""

    openapi_url = forms.URLField(
        label="OpenAPI URL",
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text=(
            "Where the OpenAPI document of the product is: it is fetched and becomes its documentation. "
            "An https address on the public internet."
        ),
    )

    class Meta:
        model = Product
        fields = ("product_type", "code", "name", "description", "audience", "openapi_url")
        help_texts: ClassVar = {
            "product_type": (
                "Decides what a subscription gets: API products a bearer key, AI agents and MCP servers a client id "
                "with a secret. It cannot change once the product exists."
            ),
            "code": "What integrations call the product: lower-case letters, digits, “.”, “_” and “-”. Must be unique.",
            "name": "What customers read.",
            "audience": "Whom the product is meant for.",
        }


class CloneForm(ActionForm):
    """What the clone is called."""

    name = forms.CharField(max_length=200)
    code = forms.CharField(
        max_length=100, validators=[validate_code], help_text="Must be unique. The codes of its plans begin with it."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        [product] = self.objects
        self.initial = {"name": f"{product.name} (copy)"[:200], "code": f"{product.code}-copy"[:100], **self.initial}


class RatePlanInline(LinkedRows):
    """The product's rate plans."""

    model = RatePlan
    verbose_name_plural = "rate plans"
    fields: ClassVar[Any] = (page_link, "code", PLAN_STATUS, "interval", BASE_FEE)
    readonly_fields = fields


@register(Product)
class ProductAdmin(DocumentationActions, LifeCycleActions, ModelAdmin):
    """What is sold."""

    form = ProductForm
    list_display = (
        "name",
        "code",
        "product_type",
        status_badge("maturity_stage", STAGE_COLOURS, description="stage"),
        status_badge("publish_status", PUBLISH_COLOURS, description="storefront"),
        "audience",
        "created_at",
    )
    list_filter = (
        ("product_type", ChoicesFilter),
        ("maturity_stage", ChoicesFilter),
        ("publish_status", ChoicesFilter),
        ("audience", ChoicesFilter),
    )
    actions_menu = True
    search_fields = ("name", "code")
    inlines = (RatePlanInline,)
    change_form_outer_before_template = "catalog/stages.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Fix the type once the product exists."""
        return [
            *super().get_readonly_fields(request, obj),
            documentation_shown,
            mappings_shown,
            *(["product_type"] if obj else []),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show below what describes a product the documentation and the gateways of one that is there."""
        description, *reason = super().get_fieldsets(request, obj)
        if obj is None:
            return [description, *reason]
        may_map = request.user.has_perm("catalog.add_gatewaymapping")
        link = render_to_string("catalog/map_product.html", {"product": obj}) if may_map else ""
        gateways = {"fields": [mappings_shown], "description": link}
        documentation = ("Documentation", {"fields": [documentation_shown]})
        return [description, documentation, ("Gateways", gateways), *reason]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name what describes a product."""
        return ProductForm.Meta.fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new product has not got yet."""
        return self.inlines if obj else ()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Show above the form where the product stands."""
        if product := context["original"]:
            context = {**context, "life_cycles": life_cycles_of(product)}
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

    @action("Clone", permissions=["add"], form=CloneForm, reason="optional", icon="content_copy")
    def clone(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> HttpResponseRedirect:
        """A new product with the same rate plans as drafts, EXPERIMENTAL and DRAFT; nobody is subscribed to it."""
        clone = clone_product(product_id, name=cleaned["name"], code=cleaned["code"], now=timezone.now())
        self.message_user(request, f"Cloned as {clone}.", messages.SUCCESS)
        return HttpResponseRedirect(self.object_url(clone))
