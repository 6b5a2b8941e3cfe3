"""The admin's theme and its navigation: the four apps in the order of the business."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import HttpRequest
from django.urls import reverse_lazy


def page(title: str, model: str, icon: str) -> dict[str, Any]:
    """Return a link to the list of ``model`` (``app.name``), shown to those who may see it."""
    app, name = model.split(".")

    def is_allowed(request: HttpRequest) -> bool:
        return any(request.user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change"))

    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": is_allowed,
    }


CATALOG_CHECK = reverse_lazy("admin:catalog_rateplan_catalog_check")


def is_on_rate_plans(request: HttpRequest) -> bool:
    """Tell whether the page is one of rate plans; the check of the catalog, which stands below them, has its own."""
    plans = str(reverse_lazy("admin:catalog_rateplan_changelist"))
    return request.path.startswith(plans) and request.path != str(CATALOG_CHECK)


NAVIGATION = [
    {
        "items": [{"title": "Dashboard", "icon": "dashboard", "link": reverse_lazy("admin:index")}],
    },
    {
        "title": "Catalog",
        "separator": True,
        "items": [
            page("Products", "catalog.product", "inventory_2"),
            page("Metrics", "catalog.metric", "straighten"),
            {**page("Rate plans", "catalog.rateplan", "sell"), "active": is_on_rate_plans},
            page("Add-ons", "catalog.addon", "add_shopping_cart"),
            page("Coupons", "catalog.coupon", "confirmation_number"),
            page("Taxes", "catalog.tax", "percent"),
            {
                **page("Catalog check", "catalog.rateplan", "fact_check"),
                "link": CATALOG_CHECK,
            },
            page("Gateways", "catalog.gateway", "router"),
            page("Gateway mappings", "catalog.gatewaymapping", "hub"),
        ],
    },
    {
        "title": "Customers",
        "separator": True,
        "items": [
            page("Customers", "customers.customer", "groups"),
            page("Teams", "customers.team", "diversity_3"),
            page("Apps and agents", "customers.agent", "smart_toy"),
            page("Subscribers", "customers.subscriber", "person"),
            page("Subscriptions", "customers.subscription", "autorenew"),
        ],
    },
    {
        "title": "Credentials",
        "separator": True,
        "items": [
            page("Credentials", "credentials.credential", "key"),
            page("Keys at gateways", "credentials.gatewaykey", "vpn_key"),
            page("Operator keys", "credentials.operatorkey", "admin_panel_settings"),
            page("Operators", "auth.user", "badge"),
            page("Roles", "auth.group", "group_work"),
        ],
    },
    {
        "title": "Billing",
        "separator": True,
        "items": [
            page("Usage", "billing.customerusage", "monitoring"),
            page("Usage events", "billing.usageevent", "bar_chart"),
            page("Unclassified usage", "billing.unclassifiedusage", "contact_support"),
            page("Reassigned usage", "billing.usagereassignment", "move_up"),
            page("Invoices", "billing.invoice", "receipt_long"),
            page("Payments", "billing.payment", "payments"),
            page("Wallets", "billing.wallet", "account_balance_wallet"),
            page("Statements", "billing.customerstatement", "request_quote"),
        ],
    },
]

#: The gauge of the header on its own ground, small enough to stand in the page itself.
ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='7' fill='#9810fa'/>"
    "<g fill='none' stroke='#fff' stroke-width='2.6' stroke-linecap='round'><path d='M8.6 22a9 9 0 1 1 14.8 0'/>"
    "<path d='M16 18.5l4.5-5.5'/></g></svg>"
)

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Meterdesk",
    "SITE_HEADER": "Meterdesk",
    "SITE_SYMBOL": "speed",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": f"data:image/svg+xml,{quote(ICON)}"}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "billing.admin.dashboard.figures",
    # The theme's own search asks every model without a limit.
    "COMMAND": {"search_models": False, "show_history": False},
    "SIDEBAR": {
        "show_search": False,
        "command_search": False,
        "show_all_applications": False,
        "navigation": NAVIGATION,
    },
}
