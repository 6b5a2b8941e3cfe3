"""Copies of rate plans: a draft with the same terms and charges, whatever columns those have."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import models

from catalog.errors import DuplicateCode
from catalog.models import Charge, RatePlan
from catalog.terms import OWN_OF_CHARGE, OWN_OF_PLAN
from config.kernel.constraints import refusing

#: What a copy gets anew wherever it is found.
TIMES = frozenset({"created_at", "updated_at"})


def copy_plan(plan: RatePlan, copy: RatePlan, *, now: datetime) -> RatePlan:
    """
    Fill ``copy`` in with the terms of ``plan`` and save it with copies of the charges and links.

    ``copy`` has product, code and version already, and a name where it is to have another.

    Raises:
        DuplicateCode: a plan with this code and version is there already.
    """
    own = OWN_OF_PLAN | ({"name"} if copy.name else frozenset())
    _fill(copy, plan, own, now)
    with refusing({"rate_plan_one_per_code_and_version": DuplicateCode(value=copy.code)}):
        copy.save(force_insert=True)
    _copy_links(plan, copy, now)
    for charge in plan.charges.order_by("position"):
        copied = Charge(plan=copy, position=charge.position)
        _fill(copied, charge, OWN_OF_CHARGE, now)
        copied.save(force_insert=True)
        _copy_links(charge, copied, now)
    return copy


def _fill(copy: models.Model, row: models.Model, own: Collection[str], now: datetime) -> None:
    """Set every column of ``copy`` to that of ``row``, without those in ``own``, and its times to ``now``."""
    for one in row._meta.concrete_fields:
        if one.name in TIMES:
            setattr(copy, one.attname, now)
        elif one.name not in own:
            setattr(copy, one.attname, getattr(row, one.attname))


def _copy_links(row: models.Model, copy: models.Model, now: datetime) -> None:
    """Link ``copy`` to whatever ``row`` is linked to, a saved row each, so that links with a history get theirs."""
    for one in row._meta.many_to_many:
        links: Any = one.remote_field.through
        mine = one.m2m_field_name()
        for link in links._default_manager.filter(**{mine: row.pk}).order_by("pk"):
            copied = links(**{mine: copy})
            _fill(copied, link, {mine, links._meta.pk.name}, now)
            copied.save(force_insert=True)
