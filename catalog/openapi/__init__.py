"""OpenAPI documents of others: read in a process of their own, checked, and made into documentation."""

from catalog.openapi.process import read_document
from catalog.openapi.refusals import UnreadableDocument

__all__ = ["UnreadableDocument", "read_document"]
