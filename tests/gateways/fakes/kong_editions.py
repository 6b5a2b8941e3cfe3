"""The other editions of the small Kong: open source, and a control plane of Konnect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.gateways.contract import Answered, Contract, Sent
from tests.gateways.fakes.kong import SPECIFICATION, Entity, FakeKong, mended
from tests.gateways.fakes.server import answer

ACCESS_TOKEN = "kpat_konnect-token-1"
CONTROL_PLANE = "9524ec7d-36d9-465d-a8c5-83a3c9390458"


def _open(document: dict[str, Any]) -> None:
    """Ask for no token, as open source Kong does."""
    mended(document)
    document["security"] = []


def _konnect(document: dict[str, Any]) -> None:
    """Ask for Konnect's token instead of Kong's, and know no PATCH, as Konnect does."""
    mended(document)
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    for path in document["paths"].values():
        path.pop("patch", None)


class FakeOpenKong(FakeKong):
    """Kong open source: nobody is asked for a token, and there are no consumer groups."""

    contract = Contract(SPECIFICATION, edit=_open)
    edition, version = "community", "3.9.1"

    def unauthorized(self, sent: Sent) -> Answered | None:
        """Let everybody in."""
        return None

    def routes(self) -> Iterator[tuple[str, Any, Any]]:
        """Know nothing of groups."""
        return (one for one in super().routes() if one[2].__name__ not in ("join", "leave", "list_groups_of"))

    def list_all(self, sent: Sent, table: str) -> Answered:
        """List what there is in this edition."""
        return self.unknown(sent) if table == "consumer_groups" else super().list_all(sent, table)

    list_all.route = FakeKong.list_all.route  # type: ignore[attr-defined]

    def _plugins(self) -> tuple[str, ...]:
        return ("acl", "key-auth", "rate-limiting", "cors")


class FakeKonnect(FakeKong):
    """A control plane of Konnect: consumers and groups are found by id only, and nothing stands above it."""

    contract = Contract(SPECIFICATION, edit=_konnect)
    prefix = f"/v2/control-planes/{CONTROL_PLANE}/core-entities"
    database, role = "off-limits", "konnect"

    def unauthorized(self, sent: Sent) -> Answered | None:
        """Let in who has the token, to this control plane."""
        if sent.headers.get("Authorization") != f"Bearer {ACCESS_TOKEN}":
            return answer(401, {"message": "Unauthorized", "status": 401})
        return None if sent.path.startswith(self.prefix) else answer(404, {"message": "Not found"})

    def _found(self, table: str, ref: str) -> Entity | None:
        return self.tables[table].get(ref)
