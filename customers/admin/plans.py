"""What customers add to a rate plan's page: who is on which of its versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from catalog.admin import RatePlanAdmin
from catalog.admin.plan_panels import Panel
from catalog.models import RatePlan
from config.kernel.admin import change_url
from customers.models import Subscription, SubscriptionStatus


def subscriptions_concerned(request: HttpRequest, plan: RatePlan) -> Panel | None:
    """Return the versions of ``plan``, each with how many subscriptions run on it or wait to start, as links."""
    if not request.user.has_perm("customers.view_subscription"):
        return None
    now = timezone.now()
    versions = list(RatePlan.objects.filter(code=plan.code).order_by("-version"))
    counts = _counts(versions, now)
    rows = [
        {
            "plan": one,
            "href": change_url(one),
            "is_this": one == plan,
            "status": one.get_status_display(),
            "counts": [
                {"count": counts[one.pk][status], "href": _list_of(one, status)}
                for status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PENDING)
            ],
        }
        for one in versions
    ]
    earlier = sum(counts[one.pk][SubscriptionStatus.ACTIVE] for one in versions if one.version < plan.version)
    content = render_to_string("customers/plan_versions.html", {"rows": rows, "earlier": earlier})
    return Panel(title="Subscriptions concerned", content=content)


def _counts(plans: list[RatePlan], now: datetime) -> dict[Any, dict[str, int]]:
    """Return how many subscriptions have each live status now, by plan: one query."""
    found = Subscription.objects.live().filter(plan__in=plans).order_by().values("plan")
    runs = Q(starts_at__lte=now) & (Q(ends_at__isnull=True) | Q(ends_at__gt=now))
    counted = found.annotate(active=Count("pk", filter=runs), pending=Count("pk", filter=Q(starts_at__gt=now)))
    none = dict.fromkeys((SubscriptionStatus.ACTIVE.value, SubscriptionStatus.PENDING.value), 0)
    rows: dict[Any, Any] = {row["plan"]: row for row in counted}
    return {plan.pk: rows.get(plan.pk, none) for plan in plans}


def _list_of(plan: RatePlan, status: SubscriptionStatus) -> str:
    """Return the path of the list of those subscriptions."""
    return f"{reverse('admin:customers_subscription_changelist')}?plan__id__exact={plan.pk}&status={status}"


RatePlanAdmin.add_panel(subscriptions_concerned)
