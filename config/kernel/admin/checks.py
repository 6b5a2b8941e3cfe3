"""System check: no admin page of ours runs anything without a permission and a confirmation page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.sites import all_sites
from django.core import checks

from config.kernel.admin.actions import Action
from config.kernel.admin.records import MODEL_PERMISSIONS, ModelAdmin

ACTION_ATTRIBUTES = ("actions", "actions_list", "actions_detail", "actions_row", "actions_submit_line")


@checks.register(checks.Tags.admin)
def check_admin_actions(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Return an error for every way around the confirmation page in any admin site."""
    return [error for site in all_sites for one in site._registry.values() for error in errors_of(one)]


def errors_of(model_admin: admin.ModelAdmin[Any]) -> Iterator[checks.Error]:
    """Yield what is wrong with one admin."""
    for attribute in ACTION_ATTRIBUTES:
        for entry in flat(getattr(model_admin, attribute, None) or ()):
            yield from errors_of_action(model_admin, attribute, entry)
    if not isinstance(model_admin, ModelAdmin):
        return
    if model_admin.list_editable:
        yield checks.Error(
            "Lists are not editable: they would save many records and could show no refusal.",
            obj=type(model_admin), id="meterdesk.E003",
        )  # fmt: skip


def errors_of_action(model_admin: admin.ModelAdmin[Any], attribute: str, entry: Any) -> Iterator[checks.Error]:
    """Yield what is wrong with one action."""
    found = getattr(type(model_admin), entry, entry) if isinstance(entry, str) else entry
    if not isinstance(found, Action):
        yield checks.Error(
            f"The entry {entry!r} of {attribute} is not made by config.kernel.admin.action.",
            hint="Actions of other kinds run without a permission or without a confirmation page.",
            obj=type(model_admin), id="meterdesk.E001",
        )  # fmt: skip
        return
    for name in found.permissions:
        if name not in MODEL_PERMISSIONS and "." not in name and not hasattr(model_admin, f"has_{name}_permission"):
            yield checks.Error(
                f"The action {found.label} asks for has_{name}_permission(), which does not exist.",
                obj=type(model_admin), id="meterdesk.E002",
            )  # fmt: skip


def flat(entries: Sequence[Any]) -> Iterator[Any]:
    """Yield the entries of an action list, those of the theme's drop-downs too."""
    for entry in entries:
        yield from entry["items"] if isinstance(entry, dict) else [entry]
