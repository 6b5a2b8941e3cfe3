"""Our record of a mapping, in no vendor's terms: what a gateway has to enforce."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.limits import Limit


@dataclass(frozen=True, kw_only=True)
class DesiredPlan:
    """A rate plan that has subscriptions or takes them; ``ref`` is its id."""

    ref: str
    code: str
    version: int
    name: str
    limits: tuple[Limit, ...] = ()

    @property
    def slug(self) -> str:
        """A name for the plan that is unique in the installation and legal at every vendor: ``gold-v2``."""
        return f"{self.code}-v{self.version}"


@dataclass(frozen=True, kw_only=True)
class DesiredDocument:
    """
    A product with its plans.

    ``mark`` is how objects of this installation are marked at gateways, so that several can share one gateway and
    nothing that others made is ever touched. ``is_open`` is false for products that let nobody in.
    """

    mark: str
    product: str
    code: str
    name: str
    description: str = ""
    is_open: bool = True
    plans: tuple[DesiredPlan, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the document as it is digested and shown."""
        return {
            "v": 1,
            "product": {"id": self.product, "code": self.code, "name": self.name, "open": self.is_open},
            "plans": [
                {
                    "id": plan.ref,
                    "slug": plan.slug,
                    "name": plan.name,
                    "limits": {limit.of.name: limit.count for limit in plan.limits},
                }
                for plan in self.plans
            ],
        }

    @property
    def digest(self) -> str:
        """A digest of all that gateways are told."""
        return digest_of(self.as_json())


def digest_of(value: Mapping[str, Any] | list[Any]) -> str:
    """Return the SHA-256 of canonical JSON, in hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
