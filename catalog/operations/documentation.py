"""Documentation of products: ask for it, fetch and check it, copy and remove it."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from catalog.errors import NoOpenapiUrl
from catalog.events import DocumentationRequested
from catalog.models import Documentation, DocumentationStatus, Product
from catalog.openapi import UnreadableDocument, read_document
from catalog.openapi.parsing import MAX_BYTES
from config.kernel.errors import Invalid, NotFound
from config.kernel.events import publish
from config.kernel.outbound import AddressRefused, Undelivered, call, check_url

#: How long one fetch may take, and after what silence its worker counts as dead: longer than fetch and check together.
FETCH_S = 30.0
LEASE = timedelta(minutes=5)
#: How many workers a document may take down with it.
MAX_ATTEMPTS = 3

#: What a document may be called by whoever serves it; nothing at all is fine too.
MEDIA_TYPES = ("json", "yaml", "text/plain", "application/octet-stream")
MAX_ERROR = 1000


def refuse_openapi_url(url: str) -> None:
    """
    Refuse a URL that no worker would call; none at all is fine.

    Raises:
        Invalid: it is one (``invalid_openapi_url``).
    """
    if url:
        try:
            check_url(url)
        except AddressRefused as refusal:
            raise Invalid("openapi_url", str(refusal)) from refusal


def follow_openapi_url(product: Product, *, now: datetime) -> None:
    """Ask for the documentation at the URL that the locked product has now; without one, drop what came from there."""
    if product.openapi_url:
        _request(product, source_url=product.openapi_url, waiting=None, now=now)
        return
    for found in Documentation.objects.filter(product=product).exclude(source_url=""):
        found.delete()


@transaction.atomic
def request_documentation(product_id: str, *, now: datetime) -> Documentation:
    """
    Ask for the documentation at the product's URL again; what there is stays until it has come.

    Raises:
        NotFound: unknown product.
        NoOpenapiUrl: it has none.
    """
    product = Product.objects.lock(product_id)
    if not product.openapi_url:
        raise NoOpenapiUrl
    return _request(product, source_url=product.openapi_url, waiting=None, now=now)


@transaction.atomic
def upload_documentation(product_id: str, *, document: bytes, now: datetime) -> Documentation:
    """
    Take the product's documentation from ``document``, once a worker has checked it.

    Raises:
        NotFound: unknown product.
        Invalid: it is empty, or larger than 5 MiB (``invalid_document``).
    """
    product = Product.objects.lock(product_id)
    if not document.strip():
        raise Invalid("document", "The document is empty")
    if len(document) > MAX_BYTES:
        raise Invalid("document", f"The document is larger than {MAX_BYTES // 2**20} MiB")
    return _request(product, source_url="", waiting=document, now=now)


@transaction.atomic
def remove_documentation(product_id: str) -> None:
    """
    Remove what there is, whether it was fetched or uploaded; the product's URL stays for another time.

    Raises:
        NotFound: unknown product, or it has no documentation.
    """
    product = Product.objects.lock(product_id)
    found = Documentation.objects.filter(product=product).first()
    if found is None:
        raise NotFound("documentation", f"of {product_id}")
    found.delete()


def copy_documentation(product: Product, clone: Product, *, now: datetime) -> None:
    """Give ``clone`` what the locked ``product`` has; what waits to be fetched is fetched for each."""
    found = Documentation.objects.filter(product=product).first()
    if found is None:
        return
    own = {"id", "product", "created_at", "updated_at", "claimed_until", "attempts"}
    columns = {one.attname: getattr(found, one.attname) for one in found._meta.concrete_fields if one.name not in own}
    Documentation(product=clone, **columns, created_at=now, updated_at=now).save(force_insert=True)
    if found.status == DocumentationStatus.PENDING:
        publish(DocumentationRequested(product_id=clone.id))


def fetch_documentation(documentation_id: str, *, now: datetime) -> bool:
    """
    Fetch and check what is due, and tell whether that was done: another worker may have taken it on, or a new request.

    The network is asked outside any transaction. Running it twice is harmless.
    """
    claimed = _claim(documentation_id, now)
    if claimed is None:
        return False
    try:
        document = claimed.waiting if claimed.waiting is not None else _fetched(claimed.source_url)
        outline = read_document(bytes(document))
    except (Undelivered, UnreadableDocument) as reason:
        return _end(claimed, {"status": DocumentationStatus.ERROR, "error": str(reason)[:MAX_ERROR]}, now)
    read = {
        "status": DocumentationStatus.FETCHED,
        "document": document,
        "digest": hashlib.sha256(document).hexdigest(),
        "outline": outline,
        "fetched_at": now,
    }
    return _end(claimed, read, now)


def _request(product: Product, *, source_url: str, waiting: bytes | None, now: datetime) -> Documentation:
    """Note that a document waits to be fetched from ``source_url``, or to be checked as ``waiting``."""
    found = Documentation.objects.filter(product=product).first()
    asked: dict[str, Any] = {
        "source_url": source_url,
        "waiting": waiting,
        "status": DocumentationStatus.PENDING,
        "error": "",
        "requested_at": now,
        "attempts": 0,
        "claimed_until": None,
    }
    if found is None:
        found = Documentation(product=product, **asked, created_at=now, updated_at=now)
        found.save(force_insert=True)
    else:
        found.request_number += 1
        for name, value in asked.items():
            setattr(found, name, value)
        found.save_changes("request_number", *asked, now=now)
    publish(DocumentationRequested(product_id=product.id))
    return found


@transaction.atomic
def _claim(documentation_id: str, now: datetime) -> Documentation | None:
    """Take on what is due, so that no other worker does; None where there is nothing to do."""
    due = Documentation.objects.due(now).filter(pk=documentation_id)
    found = due.select_for_update(skip_locked=True, of=("self",)).first()
    if found is None:
        return None
    if found.attempts >= MAX_ATTEMPTS:
        error = "The document could not be checked: the workers that tried did not live to tell why"
        _end(found, {"status": DocumentationStatus.ERROR, "error": error}, now)
        return None
    # A worker's notes are no change of the documentation, and stand in no history.
    Documentation.objects.filter(pk=found.pk).update(attempts=F("attempts") + 1, claimed_until=now + LEASE)
    return found


@transaction.atomic
def _end(claimed: Documentation, changes: dict[str, Any], now: datetime) -> bool:
    """Write down what came of the request, unless it is not the newest any more."""
    found = Documentation.objects.select_for_update().filter(pk=claimed.pk).first()
    if found is None or (found.request_number, found.status) != (claimed.request_number, DocumentationStatus.PENDING):
        return False
    changes = {**changes, "waiting": None, "claimed_until": None}
    for name, value in changes.items():
        setattr(found, name, value)
    found.save_changes(*changes, now=now)
    return True


def _fetched(url: str) -> bytes:
    """
    Return what ``url`` answers with.

    Raises:
        Undelivered, UnreadableDocument: nothing that could be an OpenAPI document.
    """
    answer = call("GET", url, headers={"Accept": "application/json, */*"}, deadline_s=FETCH_S, largest_body=MAX_BYTES)
    if 300 <= answer.status < 400:
        raise UnreadableDocument(f"The address answers with a redirect ({answer.status}), which is not followed")
    if answer.status != 200:
        raise UnreadableDocument(f"The address answers with status {answer.status}")
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and not media_type.endswith(MEDIA_TYPES):
        raise UnreadableDocument(f"The address answers with {media_type[:100]}, not with JSON or YAML")
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnreadableDocument("The address answers with compressed text although none was asked for")
    return answer.body
