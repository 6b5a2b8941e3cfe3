"""What the tests' small API takes and gives."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.models import Product
from config.api.fields import (
    AmountField,
    AwareDateTimeField,
    CurrencyField,
    EnumField,
    MetadataField,
    ReferenceField,
)
from config.api.serializers import QuerySerializer, StrictModelSerializer, StrictSerializer


class ProductSerializer(StrictModelSerializer):
    """A product as it is answered."""

    class Meta:
        model = Product
        fields = ("id", "code", "name", "product_type", "audience", "maturity_stage", "created_at", "updated_at")
        read_only_fields = ("maturity_stage", "created_at", "updated_at")


class NewProductSerializer(StrictModelSerializer):
    """A product as it is asked for."""

    class Meta:
        model = Product
        fields = ("code", "name", "product_type", "audience")


class ProductChanges(StrictModelSerializer):
    """What of a product can change."""

    class Meta:
        model = Product
        fields = ("name", "audience")


class Advance(StrictSerializer):
    """Where to."""

    to = serializers.CharField()


class Line(StrictSerializer):
    """One line of a quote."""

    product = ReferenceField(Product.objects.all(), "prod")
    units = AmountField(positive=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=10), required=False)


class Quote(StrictSerializer):
    """A body with one field of each kind."""

    amount = AmountField(min_value=0, required=False)
    at = AwareDateTimeField(required=False)
    currency = CurrencyField(required=False)
    tier = EnumField(choices=["free", "developer", "startup", "enterprise"], required=False)
    metadata = MetadataField(required=False)
    lines = Line(many=True, required=False)
    note = serializers.CharField(max_length=20, required=False, allow_null=True)
    count = serializers.IntegerField(required=False)
    exact = serializers.BooleanField(required=False)


class Anything(serializers.Serializer[Any]):
    """Answer whatever was made."""

    def to_representation(self, instance: Any) -> Any:
        """Return it."""
        return instance


class Loud(QuerySerializer):
    """How to shout."""

    times = serializers.IntegerField(min_value=1, max_value=3, default=1)
