"""E-mail domains that are associated with a customer."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.core.validators import DomainNameValidator

from config.kernel.errors import Invalid

#: As many as an organization with a brand in every country has.
MAX_DOMAINS = 200

_is_domain_name = DomainNameValidator()


def validate_domain(domain: str) -> None:
    """Raise ``ValidationError`` unless ``domain`` is a domain name of at least two labels, in whatever script."""
    try:
        _is_domain_name(domain)
    except ValidationError as error:
        raise ValidationError(f"“{domain[:100]}” is not a domain name", code="invalid") from error


def normalised_domains(domains: Iterable[str]) -> list[str]:
    """
    Return the domain names in lower case, without the root's dot, each once, in the order given.

    Raises:
        Invalid: one is no domain name, or there are more than 200 (``invalid_associated_domains``).
    """
    kept = list(dict.fromkeys(domain.strip().lower().removesuffix(".") for domain in domains))
    if len(kept) > MAX_DOMAINS:
        raise Invalid("associated_domains", f"At most {MAX_DOMAINS} domains")
    for domain in kept:
        try:
            validate_domain(domain)
        except ValidationError as error:
            raise Invalid("associated_domains", str(error.message)) from error
    return kept
