"""
What every adapter of a vendor can be asked.

An adapter is made for one job on one connection. It works on *resources*: what we manage at the gateway, each reduced
to the fields that we set, in the vendor's own terms. What a gateway adds by itself is no part of a resource, so it can
never count as drift; what is not marked as ours is never touched.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from catalog.gateways.document import DesiredDocument
from catalog.limits import Limit

Fields = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One setting or secret of a connection, as form and API ask for it; values are strings."""

    name: str
    label: str
    help: str = ""
    required: bool = True
    #: Allowed values with their labels; empty for free text.
    choices: tuple[tuple[str, str], ...] = ()
    default: str = ""
    is_long: bool = False


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What can be had from a vendor beyond limits and access; each ``why`` is a sentence for operators."""

    #: Whether a key that we made can be given to the gateway; where not, it makes its own.
    takes_our_keys: bool
    #: Whether a key can be switched off and on again without losing it.
    suspends_keys: bool
    #: Whether a client id with its secret that we made can be given to the gateway.
    takes_our_clients: bool = False
    #: Whether the gateway makes client ids and secrets of its own, which then stand for ours.
    makes_client_credentials: bool = False
    #: What operators have to know before they rely on this vendor's enforcement.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Support:
    """How well a gateway can enforce a limit; anything but exact says why."""

    level: Literal["exact", "approximate", "unsupported"]
    why: str = ""


EXACT = Support(level="exact")


def unpaced(scope: str, bucket: str, every_s: float) -> None:
    """Let every call pass."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where a gateway is and how to get in; lives only in the memory of one job."""

    id: str
    vendor: str
    base_url: str
    settings: Mapping[str, str]
    credentials: Mapping[str, str] = field(repr=False)
    #: What objects of ours are marked with, as in ``DesiredDocument.mark``.
    mark: str = "meterdesk"
    #: Takes ``(scope, bucket, seconds a call)``; raises Throttled, without waiting, where it is too early for a call.
    pace: Callable[[str, str, float], None] = field(repr=False, default=unpaced)
    #: Bounds of the random wait before a call is tried again, in seconds.
    retry_wait_s: tuple[float, float] = (0.5, 8.0)
    #: Networks that may be called besides the public internet.
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a test of the connection found: who answers, which edition, and what is missing."""

    version: str = ""
    edition: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        answers = " ".join(one for one in (self.version, self.edition) if one)
        return ". ".join([f"Answers as {answers}" if answers else "Answers", *self.warnings])


@dataclass(frozen=True, kw_only=True)
class Resource:
    """
    One object at the gateway: ``fields`` is what of it is ours to say, in the vendor's terms, JSON without floats.

    ``kind`` and ``key`` identify it on both sides; ``handle`` is what the gateway needs to find it (server ids, etags)
    and is never compared. Lists whose order means nothing are sorted.
    """

    kind: str
    key: str
    label: str
    fields: Fields
    handle: Fields = field(default_factory=dict, compare=False)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field that differs; ``record`` is our value, ``gateway`` theirs, None where one side has none."""

    kind: str
    key: str
    label: str
    field: str
    record: Any
    gateway: Any


@dataclass(frozen=True, kw_only=True)
class Change:
    """One step towards our record; ``wanted`` is None for what has to go, ``found`` for what has to be made."""

    wanted: Resource | None
    found: Resource | None
    differences: tuple[Difference, ...] = ()

    @property
    def action(self) -> Literal["create", "update", "delete"]:
        """What the step does."""
        if self.wanted is None:
            return "delete"
        return "create" if self.found is None else "update"

    @property
    def resource(self) -> Resource:
        """The resource as wanted, or as found where it has to go."""
        resource = self.wanted or self.found
        assert resource is not None
        return resource


@dataclass(frozen=True, kw_only=True)
class KeyGrant:
    """
    A credential of a subscription as gateways know it: one consumer (app, subscription) a subscription, with its keys.

    Ids are ours and printed; ``secret`` (and ``client_id`` with it) is in clear and None where we have it no more.
    """

    subscription: str
    key: str
    plan: str
    customer: str
    limits: tuple[Limit, ...] = ()
    secret: str | None = field(default=None, repr=False)
    client_id: str | None = None
    #: Whether the product issues client ids with secrets.
    is_client: bool = False
    state: Literal["active", "suspended"] = "active"
    #: Where ``place_key`` brought it before; empty until that has succeeded and what it made has been kept.
    handle: Fields = field(default_factory=dict, compare=False)


@dataclass(frozen=True, kw_only=True)
class KeyPlaced:
    """Where a key is at the gateway, to be kept; ``made`` holds what the gateway made itself and we have to show."""

    handle: Fields
    made: Fields = field(default_factory=dict, repr=False)


class GatewayAdapter(ABC):
    """One vendor's gateway, for one job."""

    vendor: ClassVar[str]
    label: ClassVar[str]
    #: Whether the base URL must be given; where not it stands for the vendor's own host, which the settings choose.
    needs_base_url: ClassVar[bool] = False
    setting_fields: ClassVar[tuple[Field, ...]] = ()
    credential_fields: ClassVar[tuple[Field, ...]] = ()
    #: What a mapping's ``external_ref`` names, as label and help of the form.
    ref_label: ClassVar[str]
    ref_help: ClassVar[str]

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @classmethod
    @abstractmethod
    def capabilities(cls, settings: Mapping[str, str]) -> Capabilities:
        """Return what this vendor can do with these settings."""

    @classmethod
    @abstractmethod
    def supports(cls, limit: Limit, settings: Mapping[str, str]) -> Support:
        """Return how well the gateway can enforce ``limit``."""

    @classmethod  # noqa: B027 - most vendors have nothing to add
    def check_settings(cls, settings: Mapping[str, str], base_url: str) -> None:
        """
        Refuse combinations of settings that the fields alone cannot.

        Raises:
            ValueError: ``args`` are the name of the setting and a sentence.
        """

    @classmethod
    @abstractmethod
    def check_ref(cls, ref: str) -> None:
        """
        Refuse an ``external_ref`` that names nothing at this vendor.

        Raises:
            ValueError: the sentence says what is expected.
        """

    @abstractmethod
    def probe(self) -> Probe:
        """
        Ask the gateway who it is, with the connection's credentials.

        Raises:
            GatewayFailure: it cannot be used.
        """

    @abstractmethod
    def desired(self, document: DesiredDocument, ref: str) -> Sequence[Resource]:
        """Return our record in the vendor's terms, in the order in which it is safe to make; asks nobody."""

    @abstractmethod
    def fetch(self, document: DesiredDocument, ref: str) -> Sequence[Resource]:
        """
        Return what of ours is at the gateway for this mapping, reduced to the fields we manage.

        Raises:
            ObjectMissing: what ``ref`` names is not there.
            GatewayFailure: it cannot be read.
        """

    @abstractmethod
    def apply(self, change: Change, document: DesiredDocument, ref: str) -> None:
        """
        Take one step; taking it twice is harmless.

        Raises:
            GatewayFailure: it did not take effect, or nobody knows.
        """

    @abstractmethod
    def place_key(self, grant: KeyGrant, ref: str, product: str) -> KeyPlaced:
        """
        Bring consumer, access, plan and key of a grant to the gateway, whatever of them is there already.

        With ``grant.secret`` None the key itself must be there: only what stands around it is mended. A key of
        another plan of ours moves to the plan of the grant.

        Raises:
            KeyGone: the key is not there and we have its secret no more.
            ObjectMissing: what the key needs is not there: the object of the mapping, or that of the plan.
            GatewayFailure: it did not take effect, or nobody knows.
        """

    @abstractmethod
    def suspend_key(self, grant: KeyGrant, handle: Fields, ref: str) -> None:
        """Switch a key off so that ``place_key`` without its secret can switch it on again; twice is harmless."""

    @abstractmethod
    def remove_key(self, grant: KeyGrant, handle: Fields, ref: str, *, last: bool) -> None:
        """Remove a key, and with the ``last`` one of its subscription the consumer too; what is gone is fine."""
