"""The policy document of an API Management product: limits as XML, of which only our own elements are ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from catalog.gateways.failures import Conflict, Unsupported
from catalog.limits import Limit

#: The elements that hold our limits, both in ``inbound``, in the order in which they stand there.
OURS = ("rate-limit", "quota")
SECTIONS = ("inbound", "backend", "outbound", "on-error")
#: The longest window of ``rate-limit`` is 300 seconds; what is counted for longer is a quota.
LONGEST_RATE_S = 300


class UnreadablePolicy(ValueError):
    """The document is no XML; expressions with quotation marks in an attribute make it so."""


def elements_of(limits: Sequence[Limit]) -> dict[str, list[str]]:
    """
    Return our elements in canonical XML by their names, an empty list for none.

    Raises:
        Unsupported: two limits would need the same element, which a policy may hold once.
    """
    elements: dict[str, list[str]] = {name: [] for name in OURS}
    for limit in limits:
        name = "rate-limit" if limit.of.seconds <= LONGEST_RATE_S else "quota"
        if elements[name]:
            raise Unsupported(
                f"API Management takes one {name} for a product; {limit.of.label.lower()} is a second one"
            )
        window = {"calls": str(limit.count), "renewal-period": str(limit.of.seconds)}
        elements[name] = [_canonical(ElementTree.Element(name, window))]
    return elements


def read_elements(document: str) -> dict[str, list[str]]:
    """
    Return our elements of a policy document in canonical XML, however the service has formatted it.

    Raises:
        UnreadablePolicy: it cannot be parsed.
    """
    inbound = _parsed(document).find("inbound")
    children = [] if inbound is None else list(inbound)
    return {name: [_canonical(one) for one in children if one.tag == name] for name in OURS}


def with_elements(document: str | None, elements: Iterable[str]) -> str:
    """
    Return the document with our ``elements`` in place of those it has; what others put there stays.

    Raises:
        Conflict: the document cannot be parsed, so nobody knows what would be lost.
    """
    try:
        policies = _empty() if document is None else _parsed(document)
    except UnreadablePolicy as error:
        raise Conflict(
            "The product's policy is no well-formed XML, so it is left alone; mend or delete it in API Management"
        ) from error
    inbound = policies.find("inbound")
    if inbound is None:
        inbound = ElementTree.Element("inbound")
        policies.insert(0, inbound)
    for found in [one for one in inbound if one.tag in OURS]:
        inbound.remove(found)
    for position, element in enumerate(elements):
        inbound.insert(position, ElementTree.fromstring(element))  # noqa: S314 - our own text
    return ElementTree.tostring(policies, encoding="unicode")


def _empty() -> ElementTree.Element:
    """Return a document that adds nothing to the policies above it."""
    policies = ElementTree.Element("policies")
    for section in SECTIONS:
        ElementTree.SubElement(ElementTree.SubElement(policies, section), "base")
    return policies


def _parsed(document: str) -> ElementTree.Element:
    try:
        root: ElementTree.Element = fromstring(document.strip(), forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise UnreadablePolicy(str(error)) from error
    return root


def _canonical(element: ElementTree.Element) -> str:
    """Return C14N without blanks between elements, so that only what means something is compared."""
    text = ElementTree.tostring(element, encoding="unicode")
    canonical: str = ElementTree.canonicalize(text.strip(), strip_text=True)
    return canonical
