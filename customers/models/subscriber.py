"""Subscribers: the people and service accounts of a customer, known by their e-mail."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from config.kernel.search import search_column, with_words
from customers.models.customer import UNCLASSIFIED_ID, Customer
from customers.models.moving import Moving


class SubscriberQuerySet(Moving["Subscriber"], RecordQuerySet["Subscriber"]):
    """Subscribers, deleted ones included until ``live()`` is asked for."""

    def live(self) -> Self:
        """Keep those that are not deleted, nor is their customer."""
        return self.filter(deleted_at__isnull=True, customer__deleted_at__isnull=True)

    def unclassified(self) -> Self:
        """Keep those whose customer is not known."""
        return self.filter(customer=UNCLASSIFIED_ID)

    def with_email(self, email: str) -> Self:
        """Keep those with the e-mail address, in whatever case."""
        return self.alias(lower_email=Lower("email")).filter(lower_email=email.lower())

    def searched(self, words: str) -> Self:
        """Keep those in whose e-mail, names or subscriber ID every one of ``words`` begins a word."""
        return with_words(self, words)


class Subscriber(Record):
    """A person or service account of one customer, UNCLASSIFIED where that is not known."""

    id = TypeIDField("subr")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscribers")
    email = models.EmailField(max_length=254)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    #: What the customer's own system calls the subscriber; our id where it says nothing.
    subscriber_id = models.CharField("subscriber ID", max_length=255, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    search = search_column("email", "first_name", "last_name", "subscriber_id")

    objects = SubscriberQuerySet.as_manager()
    history = History(excluded_fields=["search"])

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(Lower("email"), name="subscriber_by_email", condition=Q(deleted_at__isnull=True)),
            models.Index(
                name="subscriber_by_subscriber_id", fields=["subscriber_id"], condition=Q(deleted_at__isnull=True)
            ),
            GinIndex(name="subscriber_words", fields=["search"], fastupdate=False),
        ]
        constraints = [
            models.UniqueConstraint(
                "customer", Lower("email"), name="subscriber_one_live_per_email", condition=Q(deleted_at__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["customer", "subscriber_id"],
                name="subscriber_one_live_per_subscriber_id",
                condition=Q(deleted_at__isnull=True),
            ),
        ]
        triggers = [
            # Usage is traced to the subscriber; its row outlives it.
            pgtrigger.Protect(name="subscriber_row_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def full_name(self) -> str:
        """First and last name, as far as they are known."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def email_domain(self) -> str:
        """What follows the @, in lower case."""
        return self.email.rpartition("@")[2].lower()
