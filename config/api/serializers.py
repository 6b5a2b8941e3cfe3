"""Bases of all serializers: bodies are taken strictly, answers print our values exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from config.api import fields
from config.kernel import ids, money
from config.kernel.secrets import IssuedSecret

#: Which JSON type a field takes: DRF would turn 5 into "5", "yes" into true and 3.0 into 3.
JSON_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], type | tuple[type, ...], str], ...] = (
    (serializers.CharField, str, "a string"),
    (serializers.ChoiceField, str, "a string"),
    (serializers.UUIDField, str, "a string"),
    (serializers.DateField, str, "a string"),
    (serializers.BooleanField, bool, "true or false"),
    (serializers.IntegerField, int, "an integer"),
    (serializers.ListField, list, "a list"),
    (serializers.ListSerializer, list, "a list"),
    (serializers.ManyRelatedField, list, "a list"),
)


class StrictMixin(serializers.BaseSerializer[Any]):
    """Refuse unknown and read-only fields (``unknown_field``) and values of another JSON type than the field's."""

    fields: Any

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values, or raise with everything that is wrong."""
        if not isinstance(data, Mapping):
            message = "Must be a JSON object"
            raise serializers.ValidationError({"non_field_errors": [message]}, code="invalid")
        found: dict[str, Any] = {}
        writable = {name: field for name, field in self.fields.items() if not field.read_only}
        for name, field in writable.items():
            if name in data and (problem := type_problem(field, data[name])):
                found[name] = [serializers.ErrorDetail(problem, code="invalid")]
        # What has the wrong type is left out below, so that it is told once.
        fitting = {name: value for name, value in data.items() if name not in found}
        values: Any = {}
        try:
            values = super().to_internal_value(fitting)
        except serializers.ValidationError as error:
            detail: Any = error.detail
            found = {**{name: told for name, told in detail.items() if name not in found}, **found}
        for name in data:
            if name not in writable:
                message = "This field cannot be set" if name in self.fields else "There is no such field"
                found[name] = [serializers.ErrorDetail(message, code="unknown_field")]
        if found:
            raise serializers.ValidationError(found)
        return values


def type_problem(field: Any, value: Any) -> str | None:
    """Return what is wrong with the JSON type of ``value``; None where it fits or ``field`` checks itself."""
    if value is None or isinstance(field, fields.EnumField):
        return None
    for kind, expected, words in JSON_TYPES:
        if isinstance(field, kind):
            if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
                return f"Must be {words}"
            break
    if isinstance(field, serializers.ListField):
        return next((problem for one in value if (problem := type_problem(field.child, one))), None)
    return None


class StrictSerializer(StrictMixin, serializers.Serializer[Any]):
    """The base of bodies and answers that are no single model."""


class QuerySerializer(serializers.Serializer[Any]):
    """
    The base of an action's query parameters, which are all text.

    Declare it in the view's ``queries``; the view refuses unknown parameters itself.
    """


class StrictModelSerializer(StrictMixin, serializers.ModelSerializer[Any]):
    """The base of bodies and answers of a model: amounts, ids, times, enums and references become our fields."""

    serializer_field_mapping: ClassVar[dict[Any, Any]] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: fields.AwareDateTimeField,
        models.DecimalField: fields.AmountField,
        models.JSONField: fields.JSONObjectField,
        money.CurrencyField: fields.CurrencyField,
        ids.TypeIDField: fields.TypeIDField,
    }
    serializer_choice_field = fields.EnumField
    serializer_related_field = fields.ReferenceField

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        """Return the field's class and options; an id passes its prefix on."""
        kind, options = super().build_standard_field(field_name, model_field)
        if isinstance(model_field, ids.TypeIDField):
            options = {"prefix": model_field.prefix, "read_only": True}
        if "validators" in options:
            options["validators"] = [one for one in options["validators"] if not isinstance(one, UniqueValidator)]
        return kind, options

    def get_unique_together_validators(self) -> list[Any]:
        """Return none: what must be unique the operation refuses as a conflict, without a gap after the question."""
        return []

    def get_uniqueness_extra_kwargs(
        self, field_names: Any, declared_fields: Any, extra_kwargs: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Return the options as they are: uniqueness makes no field required."""
        return extra_kwargs, {}


class IssuedSecretSerializer(serializers.BaseSerializer[IssuedSecret]):
    """A credential just made, with what is shown this once: ``key``, or ``client_id`` and ``client_secret``."""

    def to_representation(self, instance: IssuedSecret) -> dict[str, Any]:
        """Return the credential with its secret in clear."""
        return {
            "id": instance.credential,
            "type": instance.kind,
            "name": instance.name,
            **instance.shown_once,
            "prefix": instance.prefix,
            "last_four": instance.last_four,
        }


class DeletedSerializer(serializers.Serializer[Any]):
    """The answer to a DELETE that removes an object."""

    id = serializers.CharField()
    deleted = serializers.BooleanField(default=True)
    deleted_at = fields.AwareDateTimeField()


class RevokedSerializer(serializers.Serializer[Any]):
    """The answer to a DELETE that revokes a key."""

    id = serializers.CharField()
    revoked = serializers.BooleanField(default=True)
    revoked_at = fields.AwareDateTimeField()
