"""How objects of ours are called and marked at Kong, so that they are found again whatever happened in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

#: Of ids that we alone give: the same thing gets the same id each time, so sending it twice makes one.
OURS = UUID("6f1d9c1e-6a55-4c3e-9f0c-2d6b7c1f4a90")


@dataclass(frozen=True)
class Names:
    """The names that an installation with this ``mark`` gives; tags hold neither comma nor slash, as Kong asks."""

    mark: str

    def id_of(self, kind: str, *key: str) -> str:
        """Return the id of the object of ``kind`` that ``key`` stands for."""
        return str(uuid5(OURS, "/".join((self.mark, kind, *key))))

    def tag(self, kind: str, value: str) -> str:
        """Return the tag that says to what of ours an object belongs."""
        return f"{self.mark}-{kind}:{value}"

    def tags(self, **belongs_to: str) -> list[str]:
        """Return the tags of an object, sorted: the mark, and one for each thing it belongs to."""
        return sorted([self.mark, *(self.tag(kind, value) for kind, value in belongs_to.items())])

    def ours_of(self, tags: Iterable[str] | None) -> list[str]:
        """Return those of ``tags`` that we set, sorted."""
        return sorted(tag for tag in tags or () if tag == self.mark or tag.startswith(f"{self.mark}-"))

    def others_of(self, tags: Iterable[str] | None) -> list[str]:
        """Return those of ``tags`` that somebody else set."""
        return [tag for tag in tags or () if tag != self.mark and not tag.startswith(f"{self.mark}-")]

    def told(self, kind: str, entity: Mapping[str, Any]) -> str:
        """Return what the entity's tag of ``kind`` names, empty where it has none."""
        start = self.tag(kind, "")
        return next((tag.removeprefix(start) for tag in entity.get("tags") or () if tag.startswith(start)), "")

    def access_group(self, product: str) -> str:
        """Return the ACL group whose consumers may use the product."""
        return f"{self.mark}-{product}"

    @property
    def nobody(self) -> str:
        """The ACL group that no consumer is in, because Kong takes no empty list of groups."""
        return f"{self.mark}-nobody"
