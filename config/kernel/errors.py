"""Refusals of the domain: each a class with a code and a type; the interfaces turn them into answers."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class ErrorType(StrEnum):
    """What kind of refusal it is; the API answers each with one HTTP status."""

    VALIDATION = "validation_error"
    AUTHENTICATION = "authentication_error"
    PERMISSION = "permission_error"
    NOT_FOUND = "not_found_error"
    CONFLICT = "conflict_error"
    RATE_LIMIT = "rate_limit_error"


class DomainError(Exception):
    """
    Something the domain refuses; a subclass names what, its docstring is no message.

    ``sentence`` is a format string over ``details``; ``param`` is the input it concerns, where there is one.
    """

    code: ClassVar[str]
    type: ClassVar[ErrorType]
    sentence: ClassVar[str]
    param: str | None = None

    def __init__(self, *, param: str | None = None, **details: object) -> None:
        self.details = details
        if param is not None:
            self.param = param
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The sentence an operator or integrator reads."""
        return self.sentence.format(**self.details)


class NotFound(DomainError):
    """
    An object that does not exist, or no longer; ``noun`` makes the code (``customer_not_found``).

    ``param`` is the field that named it, where it was not the address.
    """

    type = ErrorType.NOT_FOUND
    code = "not_found"

    def __init__(self, noun: str, identifier: object, *, param: str | None = None) -> None:
        self.noun = noun
        self.identifier = identifier
        super().__init__(param=param)

    @property
    def message(self) -> str:
        """The sentence an operator or integrator reads."""
        return f"{self.noun.replace('_', ' ').capitalize()} {self.identifier} not found"


class Invalid(DomainError):
    """
    A value of the input that no operation can take; ``param`` names it and makes the code (``invalid_until``).

    Of a path the last name does: ``settings.region`` is ``invalid_region``.
    """

    type = ErrorType.VALIDATION
    code = "invalid"
    sentence = "{reason}"

    def __init__(self, param: str, reason: str) -> None:
        super().__init__(param=param, reason=reason)


def error_code(error: DomainError) -> str:
    """Return the code the API answers with; for the two generic refusals it is made from what they concern."""
    if isinstance(error, NotFound):
        return f"{error.noun}_not_found"
    if isinstance(error, Invalid):
        return f"invalid_{str(error.param).rpartition('.')[2]}"
    return error.code
