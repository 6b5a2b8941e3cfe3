"""Deletion guards: each app speaks for itself, and the worst that one of them says counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from catalog.models import Product
from config.kernel import guards
from config.kernel.guards import DeletionReport, Finding, Verdict, counted, deletion_report, register_guard
from customers.models import Customer


def finding(verdict: Verdict, code: str = "reason", count: int = 1) -> Finding:
    return Finding(code=code, verdict=verdict, message=f"{count} of them", count=count, link="/admin/there/")


@pytest.fixture(autouse=True)
def _own_guards() -> Iterator[None]:
    """Begin a test without guards, and put those of the house back."""
    before = dict(guards._guards)
    guards._guards.clear()
    yield
    guards._guards.clear()
    guards._guards.update(before)


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ([], Verdict.ALLOW),
        ([Verdict.ALLOW], Verdict.ALLOW),
        ([Verdict.WARN, Verdict.ALLOW], Verdict.WARN),
        ([Verdict.WARN, Verdict.BLOCK, Verdict.WARN], Verdict.BLOCK),
    ],
)
def test_the_worst_finding_is_the_verdict(verdicts: list[Verdict], worst: Verdict) -> None:
    report = DeletionReport(findings=tuple(finding(verdict) for verdict in verdicts))

    assert report.verdict is worst


def test_every_guard_is_asked_about_the_object_and_the_worst_finding_stands_first() -> None:
    asked: list[Customer] = []
    customer = Customer()

    def warn(one: Customer) -> Finding:
        asked.append(one)
        return finding(Verdict.WARN, "warned")

    def silent(one: Customer) -> None:
        asked.append(one)

    def block(one: Customer) -> Finding:
        asked.append(one)
        return finding(Verdict.BLOCK, "blocked")

    for guard in (warn, silent, block):
        register_guard(Customer, guard)

    report = deletion_report(customer)

    assert asked == [customer] * 3
    assert all(one is customer for one in asked)
    assert [one.code for one in report.findings] == ["blocked", "warned"]


def test_a_guard_is_asked_once_however_often_it_registers_and_about_its_own_model_only() -> None:
    def block(one: Customer) -> Finding:
        return finding(Verdict.BLOCK)

    register_guard(Customer, block)
    register_guard(Customer, block)

    assert len(deletion_report(Customer()).findings) == 1
    assert deletion_report(Product()).verdict is Verdict.ALLOW


def test_the_report_is_printed_with_words_and_without_links_into_the_desk() -> None:
    report = DeletionReport(findings=(finding(Verdict.BLOCK, "open_invoices", 2),))

    assert report.document() == {
        "verdict": "BLOCK",
        "findings": [{"code": "open_invoices", "verdict": "BLOCK", "message": "2 of them", "count": 2}],
    }


@pytest.mark.parametrize(
    ("findings", "outlasts"),
    [
        ([], False),
        ([(Verdict.WARN, False)], False),
        ([(Verdict.BLOCK, True)], False),
        ([(Verdict.BLOCK, True), (Verdict.WARN, False)], False),
        ([(Verdict.BLOCK, False)], True),
        ([(Verdict.BLOCK, True), (Verdict.BLOCK, False)], True),
    ],
)
def test_what_blocks_outlasts_a_termination_unless_it_says_otherwise(
    findings: list[tuple[Verdict, bool]], outlasts: bool
) -> None:
    found = [replace(finding(verdict), ends_with_termination=ends) for verdict, ends in findings]

    assert DeletionReport(findings=tuple(found)).outlasts_termination is outlasts


def test_counted_findings_sum_their_money_by_currency_and_lead_to_their_objects() -> None:
    amounts = [(Decimal(7), "USD"), (Decimal("0.000000000001"), "USD"), (Decimal(3), "EUR"), (Decimal(0), "JPY")]

    found = counted(
        3, code="debts", verdict=Verdict.WARN, message="{count} debts ({money})", at="billing_invoice", query="q=1",
        amounts=amounts,
    )  # fmt: skip

    assert found is not None
    assert found.amounts == ((Decimal(3), "EUR"), (Decimal("7.000000000001"), "USD"))
    assert (found.message, found.link) == ("3 debts (€3.00, $7.000000000001)", "/admin/billing/invoice/?q=1")
    assert "amounts" not in str(DeletionReport(findings=(found,)).document())


def test_there_is_no_finding_about_nothing() -> None:
    nothing = counted(0, code="debts", verdict=Verdict.BLOCK, message="{count}", at="billing_invoice", query="")

    assert nothing is None
