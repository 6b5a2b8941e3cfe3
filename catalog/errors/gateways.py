"""Refusals about gateways and the mappings of products to them."""

from __future__ import annotations

from config.kernel.errors import DomainError, ErrorType


class DuplicateGatewayName(DomainError):
    """Another gateway has the name; ``details`` gives it."""

    code = "duplicate_name"
    type = ErrorType.CONFLICT
    sentence = "A gateway called '{value}' exists already"
    param = "name"


class DuplicateMapping(DomainError):
    """Another mapping links a product to the same object; ``details`` gives it."""

    code = "duplicate_mapping"
    type = ErrorType.CONFLICT
    sentence = "'{value}' at this gateway is linked to a product already"
    param = "external_ref"


class ProductMappedAlready(DomainError):
    """A product stands once at a gateway; ``details`` gives its name."""

    code = "product_mapped_already"
    type = ErrorType.CONFLICT
    sentence = "'{value}' is mapped to this gateway already; another stage needs a gateway connection of its own"
    param = "product"


class GatewayDeletionBlocked(DomainError):
    """Something stands in the way of the deletion; ``details`` is the report."""

    code = "gateway_deletion_blocked"
    type = ErrorType.CONFLICT
    sentence = "The gateway cannot be deleted while products are mapped to it"


class MappingDeletionNeedsConfirmation(DomainError):
    """The deletion has consequences that have to be confirmed; ``details`` is the report."""

    code = "gateway_mapping_deletion_needs_confirmation"
    type = ErrorType.CONFLICT
    sentence = "The deletion has consequences and needs to be confirmed"


class GatewayUnusable(DomainError):
    """A test of the connection failed; ``details`` gives the failure's code, and the HTTP status where there is one."""

    code = "gateway_unusable"
    type = ErrorType.CONFLICT
    sentence = "{reason}"


class GatewayMarkInUse(DomainError):
    """The mark of a gateway with mappings is on what we made there, and is not changed."""

    code = "gateway_mark_in_use"
    type = ErrorType.CONFLICT
    sentence = "The mark cannot change while products are mapped to the gateway: what carries it would be left behind"
    param = "mark"
