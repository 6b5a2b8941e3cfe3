"""Whom invoices are made out to, how they are paid and when they are due."""

from __future__ import annotations

from django.db import models

from config.kernel.countries import CountryField


class PaymentProvider(models.TextChoices):
    """Who collects a customer's payments unless an invoice says otherwise."""

    MANUAL = "manual", "Manual: recorded by hand"
    STRIPE = "stripe", "Stripe"


class BillingMode(models.TextChoices):
    """Whether a customer pays before or after use."""

    POSTPAID = "POSTPAID", "Postpaid: invoiced after use"
    PREPAID = "PREPAID", "Prepaid: drawn from the wallet"
    HYBRID = "HYBRID", "Hybrid: from the wallet first, the rest invoiced"


class BillingIdentity(models.Model):
    """The name, address and contacts on invoices, and the terms of payment."""

    legal_name = models.CharField(max_length=200, blank=True)
    tax_id = models.CharField("tax id", max_length=50, blank=True)
    address_line1 = models.CharField("address", max_length=200, blank=True)
    address_line2 = models.CharField("address, second line", max_length=200, blank=True)
    address_city = models.CharField("city", max_length=100, blank=True)
    address_state = models.CharField("state", max_length=100, blank=True)
    address_zip = models.CharField("zip", max_length=20, blank=True)
    address_country = CountryField("country")
    billing_email = models.EmailField(max_length=254, blank=True)
    billing_phone = models.CharField(max_length=50, blank=True)
    remittance_instructions = models.TextField(max_length=2000, blank=True)
    payment_provider = models.CharField(max_length=20, choices=PaymentProvider, default=PaymentProvider.MANUAL)
    billing_mode = models.CharField(max_length=10, choices=BillingMode, default=BillingMode.POSTPAID)
    net_payment_term_days = models.PositiveSmallIntegerField("net payment term (days)", default=30)
    invoice_grace_days = models.PositiveSmallIntegerField("invoice grace period (days)", default=0)

    class Meta:
        abstract = True

    @property
    def address(self) -> dict[str, str]:
        """The postal address by the names the API uses; empty strings where nothing is known."""
        return {part: getattr(self, f"address_{part}") for part in ADDRESS_PARTS}


ADDRESS_PARTS = ("line1", "line2", "city", "state", "zip", "country")
