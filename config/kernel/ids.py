"""TypeIDs: one name for a row in admin, API and logs (``cust_01h455vb4pex5vsknk084sn02q``), stored as ``uuid``."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import uuid_utils
from django.core.exceptions import ValidationError
from django.db import models
from typeid import TypeID as Codec
from typeid.core.errors import TypeIDException


class MalformedTypeID(ValueError):
    """The text is no TypeID, or one of another kind of object."""


class TypeID(str):
    """
    The printed name of a row: ``<prefix>_<26 characters of base32>``, a UUIDv7 underneath.

    It is a ``str``, so that templates, URLs, JSON and Celery arguments carry it as it is.
    """

    __slots__ = ()

    @property
    def prefix(self) -> str:
        """The kind of object this id names, for example ``cust``."""
        return self.rpartition("_")[0]

    @property
    def uuid(self) -> UUID:
        """The value as the database keeps it."""
        return UUID(int=Codec.from_string(self).uuid.int)

    @classmethod
    def new(cls, prefix: str) -> TypeID:
        """Return a fresh id; ids made later sort later."""
        return cls(str(Codec(prefix=prefix)))

    @classmethod
    def from_uuid(cls, value: UUID, prefix: str) -> TypeID:
        """Return the printed form of a stored value."""
        return cls(str(Codec.from_uuid(uuid_utils.UUID(int=value.int), prefix=prefix)))

    @classmethod
    def parse(cls, text: object, prefix: str) -> TypeID:
        """
        Return ``text`` as an id of the kind ``prefix``.

        Raises:
            MalformedTypeID: it is not one.
        """
        if isinstance(text, TypeID) and text.prefix == prefix:
            return text
        if not isinstance(text, str) or not text.startswith(f"{prefix}_"):
            raise MalformedTypeID(f"{text!r} is not an id of the kind {prefix}_…")
        try:
            parsed = Codec.from_string(text)
        except (TypeIDException, ValueError) as error:
            raise MalformedTypeID(f"{text!r} is not an id of the kind {prefix}_…") from error
        return cls(str(parsed))


class TypeIDField(models.Field[TypeID | str, TypeID]):
    """A primary key that is a :class:`TypeID` in Python and a ``uuid`` in PostgreSQL."""

    description = "TypeID"
    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "“%(value)s” is not an id of the kind %(prefix)s_…."}

    def __init__(self, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        options.setdefault("editable", False)
        options.setdefault("primary_key", True)
        super().__init__(**options)

    def has_default(self) -> bool:
        """Tell Django that a new row always gets a fresh id."""
        return self.primary_key or super().has_default()

    def get_default(self) -> Any:
        """Return a fresh id for a primary key; a copy in a history table has no default."""
        return TypeID.new(self.prefix) if self.primary_key else super().get_default()

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """Describe the field to migrations with its prefix."""
        name, path, args, kwargs = super().deconstruct()
        kwargs["prefix"] = self.prefix
        kwargs["primary_key"] = self.primary_key
        kwargs["editable"] = self.editable
        return str(name), path, args, kwargs

    def get_internal_type(self) -> str:
        """Use the column type, look-ups and comparisons of ``UUIDField``."""
        return "UUIDField"

    def to_python(self, value: Any) -> TypeID | None:
        """Return the id for a printed id or a stored uuid; raise ``ValidationError`` for anything else."""
        if value is None:
            return None
        if isinstance(value, UUID):
            return TypeID.from_uuid(value, self.prefix)
        try:
            return TypeID.parse(value, self.prefix)
        except MalformedTypeID as error:
            raise ValidationError(
                self.error_messages["invalid"], code="invalid", params={"value": value, "prefix": self.prefix}
            ) from error

    def from_db_value(self, value: UUID | None, expression: object, connection: object) -> TypeID | None:
        """Print the stored uuid."""
        return None if value is None else TypeID.from_uuid(value, self.prefix)

    def get_prep_value(self, value: Any) -> Any:
        """Return the uuid for a printed id."""
        value = super().get_prep_value(value)
        parsed = self.to_python(value)
        return None if parsed is None else parsed.uuid

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Return the uuid to bind; psycopg adapts it."""
        return value if prepared else self.get_prep_value(value)

    def value_to_string(self, obj: models.Model) -> str:
        """Return the printed id for Django's serializers."""
        return str(self.value_from_object(obj))
