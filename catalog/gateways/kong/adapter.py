"""Kong's adapter: a product is a service that exists, guarded by our plugins; a plan is a consumer group."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.gateways.document import DesiredDocument
from catalog.gateways.failures import NotAllowed, Unsupported
from catalog.gateways.interface import (
    Capabilities,
    Change,
    Connection,
    Fields,
    GatewayAdapter,
    KeyGrant,
    KeyPlaced,
    Probe,
    Resource,
    Support,
)
from catalog.gateways.kong import fields
from catalog.gateways.kong.admin_api import AdminApi, Entity
from catalog.gateways.kong.keys import Keys
from catalog.gateways.kong.limiting import edition_of, policy_of, support_of
from catalog.gateways.kong.mapped import Mapped
from catalog.limits import Limit

#: What Kong lets a service be called; an id is one, too.
REF = re.compile(r"[\w.~-]{1,200}\Z")
NEEDED_PLUGINS = ("key-auth", "acl", "rate-limiting")


class KongAdapter(GatewayAdapter):
    """
    One Kong, through its Admin API.

    Services and routes are made by others and never changed. Everything of ours has an id that only we give, so it is
    written with PUT, which all editions know and which means the same when it is sent twice.
    """

    vendor = "KONG"
    label = "Kong"
    setting_fields = fields.SETTINGS
    credential_fields = fields.CREDENTIALS
    ref_label = "Service"
    ref_help = "Name or id of the Kong service that the product is. It must exist; it is never changed."

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.api = AdminApi(connection)
        self.mapped = Mapped(self.api)

    @classmethod
    def capabilities(cls, settings: Mapping[str, str]) -> Capabilities:
        """Return what this edition can do."""
        return Capabilities(takes_our_keys=True, suspends_keys=True, notes=fields.notes_for(settings))

    @classmethod
    def supports(cls, limit: Limit, settings: Mapping[str, str]) -> Support:
        """Return how well this edition can enforce ``limit``."""
        return support_of(limit, settings)

    @classmethod
    def check_settings(cls, settings: Mapping[str, str], base_url: str) -> None:
        """Refuse what the edition lacks or does not know."""
        fields.check(settings, base_url)

    @classmethod
    def check_ref(cls, ref: str) -> None:
        """Refuse what can be neither name nor id of a service."""
        if not REF.match(ref) or ref in (".", ".."):
            raise ValueError("Name or id of a Kong service: letters, digits, and . _ ~ - only")

    def probe(self) -> Probe:
        """Ask Kong who it is, and look into the workspace or control plane."""
        root: Entity = {}
        if edition_of(self.connection.settings) != "konnect":
            try:
                root = self.api.root()
            except NotAllowed:
                # A token may be good for one workspace and not for what stands above; the next call tells.
                if "workspace" not in self.connection.settings:
                    raise
        if (root.get("configuration") or {}).get("database") == "off":
            raise Unsupported(
                "This Kong runs without a database, so its entities cannot be changed one by one: "
                "name the Admin API of a Kong with a database, or of the control plane"
            )
        next(self.api.listed("/services", size=1), None)
        edition = "Konnect" if self.api.is_konnect else str(root.get("edition") or "")
        return Probe(version=str(root.get("version") or ""), edition=edition, warnings=tuple(self._warnings(root)))

    def desired(self, document: DesiredDocument, ref: str) -> Sequence[Resource]:
        """Return the plugins that guard the service, and the plans with their limits."""
        return self.mapped.desired(document)

    def fetch(self, document: DesiredDocument, ref: str) -> Sequence[Resource]:
        """Return what of them is at Kong."""
        return self.mapped.fetch(document, ref)

    def apply(self, change: Change, document: DesiredDocument, ref: str) -> None:
        """Write or delete one of them."""
        self.mapped.apply(change, document, ref)

    def place_key(self, grant: KeyGrant, ref: str, product: str) -> KeyPlaced:
        """Bring a subscription's consumer, its limits, its key and its access to Kong."""
        return Keys(self.api).place(grant, ref, product)

    def suspend_key(self, grant: KeyGrant, handle: Fields, ref: str) -> None:
        """Make a key one that nobody knows, until it is placed again."""
        Keys(self.api).suspend(grant, handle)

    def remove_key(self, grant: KeyGrant, handle: Fields, ref: str, *, last: bool) -> None:
        """Delete a key, and with the last one the consumer."""
        Keys(self.api).remove(grant, handle, last=last)

    def _warnings(self, root: Entity) -> list[str]:
        """Return what of Kong does not fit the settings."""
        settings, found = self.connection.settings, []
        configuration: Mapping[str, Any] = root.get("configuration") or {}
        if configuration.get("role") == "control_plane" and policy_of(settings) == "cluster":
            found.append(
                "Kong runs in hybrid mode, which cannot count in the cluster: choose the policy redis or local"
            )
        if edition_of(settings) == "enterprise" and root.get("edition", "enterprise") != "enterprise":
            found.append("This is not Kong Enterprise, and has no consumer groups: choose the edition oss")
        plugins = (root.get("plugins") or {}).get("available_on_server") or {}
        missing = [name for name in NEEDED_PLUGINS if plugins and not plugins.get(name)]
        if missing:
            found.append(f"Kong lacks plugins that are needed: {', '.join(missing)}")
        return found
