"""Deletion of a customer: what stands in its way on every path, and what goes with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models import ProtectedError

from billing.models import Hold, HoldStatus, Invoice, LateUsage, Wallet
from billing.operations.billing_runs import bill_due
from billing.operations.payments import record_payment
from config.kernel.errors import NotFound
from config.kernel.guards import Verdict, deletion_report
from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key
from customers.errors import CustomerDeletionBlocked, CustomerDeletionNeedsConfirmation, SystemCustomer
from customers.events import CustomerDeleted
from customers.models import UNCLASSIFIED_ID, Customer
from customers.operations.deletion import delete_customer
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import MARCH, draft, metered, use
from tests.events import heard
from tests.factories import NOW, make_customer, make_hold, make_plan, make_subscription, make_wallet

pytestmark = pytest.mark.django_db

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_customer_with_nothing_is_deleted_without_a_question() -> None:
    customer = make_customer(email="a@example.com", external_id="a-1")

    with heard(CustomerDeleted) as deleted:
        delete_customer(customer.id, confirm=False, now=NOW)

    assert deleted == [CustomerDeleted(customer_id=customer.id, at=NOW)]
    assert not Customer.objects.live().filter(pk=customer.pk).exists()
    with pytest.raises(NotFound):
        delete_customer(customer.id, confirm=True, now=NOW)
    assert make_customer(email="A@example.com", external_id="a-1").pk != customer.pk


def subscribed(customer: Customer) -> None:
    make_subscription(customer=customer)


def subscribed_from_april(customer: Customer) -> None:
    make_subscription(customer=customer, starts_at=APRIL)


def with_an_open_invoice(customer: Customer) -> None:
    ended = make_subscription(customer=customer, plan=make_plan(amount=Decimal(31)))
    terminate_subscription(ended.id, now=NOW.replace(hour=13))


def with_a_draft(customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(invoice_grace_days=5)
    with_an_open_invoice(customer)


def with_late_usage(customer: Customer) -> None:
    ended = metered(customer=customer)
    terminate_subscription(ended.id, now=NOW)
    use(ended, NOW - HOUR, now=NOW)


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (subscribed, "active_subscriptions"),
        (subscribed_from_april, "active_subscriptions"),
        (with_an_open_invoice, "open_invoices"),
        (with_a_draft, "open_invoices"),
        (with_late_usage, "open_invoices"),
    ],
)
def test_what_is_running_or_owed_blocks_whether_confirmed_or_not(
    prepare: Callable[[Customer], None], code: str
) -> None:
    customer = make_customer()
    prepare(customer)

    for confirm in (False, True):
        with pytest.raises(CustomerDeletionBlocked) as refusal:
            delete_customer(customer.id, confirm=confirm, now=NOW)
        assert refusal.value.details["verdict"] == "BLOCK"
        assert code in [one["code"] for one in refusal.value.details["findings"]]  # type: ignore[attr-defined]
    assert Customer.objects.live().filter(pk=customer.pk).exists()


def test_a_subscription_that_ended_and_was_paid_stands_in_no_way_and_its_invoice_stays() -> None:
    customer = make_customer()
    with_an_open_invoice(customer)
    invoice = Invoice.objects.get(customer=customer)
    record_payment(invoice.id, amount=invoice.total, now=NOW)

    delete_customer(customer.id, confirm=True, now=NOW)

    assert Invoice.objects.get(pk=invoice.pk).billed_to["name"] == customer.name


def open_invoices(customer: Customer) -> tuple[int, str] | None:
    """Return count and sentence of the finding about invoices."""
    found = [one for one in deletion_report(customer).findings if one.code == "open_invoices"]
    return (found[0].count, found[0].message) if found else None


def test_late_usage_stands_in_the_way_as_the_invoice_that_it_will_be_on() -> None:
    customer = make_customer()
    with_late_usage(customer)

    assert open_invoices(customer) == (
        1,
        "1 invoice(s) are drafts or have something due, or are still to be drawn for late usage; collect them first",
    )
    bill_due(now=NOW)
    assert open_invoices(customer) == (1, "1 invoice(s) are drafts or have something due; collect them first")
    record_payment(Invoice.objects.get(total=1).id, amount=Decimal(1), now=NOW)
    assert open_invoices(customer) is None
    assert delete_customer(customer.id, confirm=True, now=NOW).deleted_at == NOW


def test_usage_that_comes_to_a_draft_is_no_further_invoice() -> None:
    invoice, subscription = draft()
    use(subscription, MARCH + HOUR, now=APRIL)

    found = open_invoices(invoice.customer)

    assert LateUsage.objects.count() == 1
    assert found == (1, "1 invoice(s) are drafts or have something due; collect them first")


def with_a_key(customer: Customer) -> None:
    issue_customer_key(customer.id, name="K", scopes=["*"], now=NOW)


def with_money(customer: Customer) -> None:
    make_wallet(customer=customer, balance="5")


def with_a_hold(customer: Customer) -> None:
    make_hold(wallet=make_wallet(customer=customer, balance="5"))


@pytest.mark.parametrize(
    ("prepare", "codes"),
    [
        (with_a_key, {"active_api_keys"}),
        (with_money, {"wallet_balance"}),
        (with_a_hold, {"wallet_balance", "pending_holds"}),
    ],
)
def test_what_is_lost_with_the_customer_has_to_be_confirmed(
    prepare: Callable[[Customer], None], codes: set[str]
) -> None:
    customer = make_customer()
    prepare(customer)

    with pytest.raises(CustomerDeletionNeedsConfirmation) as refusal:
        delete_customer(customer.id, confirm=False, now=NOW)

    assert {one["code"] for one in refusal.value.details["findings"]} == codes  # type: ignore[attr-defined]
    assert Customer.objects.live().filter(pk=customer.pk).exists()
    assert delete_customer(customer.id, confirm=True, now=NOW).deleted_at == NOW


def test_an_empty_wallet_and_a_revoked_key_need_no_confirmation() -> None:
    customer = make_customer()
    make_wallet(customer=customer)

    assert deletion_report(customer).verdict is Verdict.ALLOW
    delete_customer(customer.id, confirm=False, now=NOW)


def test_keys_are_wiped_holds_released_and_balances_voided_with_the_customer() -> None:
    customer = make_customer()
    with_a_key(customer)
    with_a_hold(customer)

    delete_customer(customer.id, confirm=True, now=NOW)

    key, wallet, hold = Credential.objects.get(), Wallet.objects.get(), Hold.objects.get()
    assert (key.revoked_at, key.digest) == (NOW, None)
    assert (wallet.balance, wallet.held, wallet.closed_at) == (0, 0, NOW)
    assert (hold.status, hold.ended_at) == (HoldStatus.RELEASED, NOW)


def test_the_unclassified_customer_is_never_deleted() -> None:
    with pytest.raises(SystemCustomer):
        delete_customer(UNCLASSIFIED_ID, confirm=True, now=NOW)


def test_the_orm_deletes_no_customer_that_somebody_refers_to() -> None:
    customer = make_customer()
    subscribed(customer)

    with pytest.raises(ProtectedError):
        Customer.objects.filter(pk=customer.pk).delete()
    with pytest.raises(ProtectedError):
        customer.delete()


@pytest.mark.parametrize("prepare", [subscribed, with_a_key, with_money, with_an_open_invoice])
def test_the_database_deletes_no_customer_that_somebody_refers_to(prepare: Callable[[Customer], None]) -> None:
    customer = make_customer()
    prepare(customer)

    with (
        connection.cursor() as cursor,
        pytest.raises(ProgrammingError, match="Cannot delete rows"),
        transaction.atomic(),
    ):
        cursor.execute("DELETE FROM customers_customer WHERE id = %s", [customer.id.uuid])


def test_a_deleted_customer_is_billed_no_more() -> None:
    customer = make_customer()
    delete_customer(customer.id, confirm=False, now=NOW)

    assert bill_due(now=APRIL).customers == 0
