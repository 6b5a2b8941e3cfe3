"""What customers did lately: when they were active last, their running month, and how teams stand to their budgets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Greatest

from billing.models import UsageEvent, UsageHour, Wallet
from billing.queries.costs import costs_between
from billing.queries.wallets import with_amounts_at
from config.kernel.money import EXACT, ZERO
from credentials.models import Credential
from customers.activity import MonthOfUse
from customers.models import BudgetPeriod, Customer, Subscription, Team
from customers.periods import Period, day_start

#: How many months each budget lasts; all of them begin with a year.
MONTHS = {BudgetPeriod.MONTH: 1, BudgetPeriod.QUARTER: 3, BudgetPeriod.YEAR: 12}


class UsageActivity:
    """Answers ``customers.activity`` out of usage, credentials and wallets."""

    def last_active(self, customer_ids: Collection[str]) -> Mapping[str, datetime]:
        """
        Return when each of the customers that ever were was active last, by its id: one query for a page.

        That is the newest of its usage events' times and its credentials' last uses; each is looked up by an index.
        """
        events = UsageEvent.objects.filter(customer=OuterRef("pk")).order_by("-timestamp").values("timestamp")[:1]
        uses = Credential.objects.filter(customer=OuterRef("pk"), last_used_at__isnull=False)
        newest_use = uses.order_by("-last_used_at").values("last_used_at")[:1]
        customers = Customer.objects.filter(pk__in=customer_ids).order_by()
        found = customers.annotate(active_at=Greatest(Subquery(events), Subquery(newest_use)))
        return {pk: at for pk, at in found.values_list("pk", "active_at") if at is not None}

    def month_of_use(self, customer: Customer, *, now: datetime) -> MonthOfUse:
        """Return the running month of ``customer`` on its own calendar, and what its open wallets have to spend."""
        month = calendar_period(BudgetPeriod.MONTH, customer.timezone, now)
        hours = UsageHour.objects.filter(customer=customer, hour__gte=month.start, hour__lt=month.end)
        used = hours.aggregate(requests=Sum("events"), tokens=Sum("tokens"))
        wallets = Wallet.objects.open().filter(customer=customer, currency=customer.currency)
        left = with_amounts_at(wallets, now).aggregate(spendable=Sum("spendable_now"))
        return MonthOfUse(
            requests=used["requests"] or 0,
            tokens=used["tokens"] or ZERO,
            credits_remaining=left["spendable"] or ZERO,
        )

    def budgets_used(self, teams: Collection[Team], *, now: datetime) -> Mapping[str, Decimal]:
        """
        Return, by team id, the cost of each team's usage in its running budget period, unrounded.

        A team's usage is that of the credentials which are bound to its applications and agents, deleted ones and
        revoked ones included. All teams are read together: a few queries, however many teams.
        """
        with localcontext(EXACT):
            return _budgets_used(teams, now)


def calendar_period(length: BudgetPeriod, timezone: str, now: datetime) -> Period:
    """Return the month, quarter or year around ``now`` on the calendar of ``timezone``."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    months = MONTHS[length]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    # From the 1st, 31 days a month lead into the month after the last, and never beyond it.
    after = (first + timedelta(days=31 * months)).replace(day=1)
    return Period(day_start(first, timezone), day_start(after, timezone))


def _budgets_used(teams: Collection[Team], now: datetime) -> dict[str, Decimal]:
    used = {str(team.pk): ZERO for team in teams}
    team_of = _credentials_of(teams)
    if not team_of:
        return used
    timezones = dict(Customer.objects.filter(pk__in={team.customer_id for team in teams}).values_list("pk", "timezone"))
    period_of = {
        str(team.pk): calendar_period(BudgetPeriod(team.budget_period), timezones[team.customer_id], now)
        for team in teams
    }
    start = min(period.start for period in period_of.values())
    end = max(period.end for period in period_of.values())
    for cost in costs_between(_subscriptions_of(teams), start, end, now=now):
        team = team_of.get(str(cost.row.credential))
        if team is not None and period_of[team].start <= cost.row.hour < period_of[team].end:
            used[team] += cost.amount
    return used


def _credentials_of(teams: Collection[Team]) -> dict[str, str]:
    """Return the team of each credential that is bound to an agent of one of ``teams``."""
    bound = Credential.objects.filter(agent__team__in=[team.pk for team in teams]).order_by()
    return {str(key): str(team) for key, team in bound.values_list("pk", "agent__team")}


def _subscriptions_of(teams: Collection[Team]) -> QuerySet[Subscription]:
    return Subscription.objects.filter(customer__in={team.customer_id for team in teams})
