"""Deletion in the admin: the guards' report, then the admin's own operation; the same for one object and for many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import models
from django.http import HttpRequest

from config.kernel.admin.actions import Action
from config.kernel.admin.confirmation import Confirmation
from config.kernel.admin.forms import ActionForm, DeletionForm
from config.kernel.admin.outcome import Answer

if TYPE_CHECKING:
    from config.kernel.admin.records import ModelAdmin


class Deletion(Action):
    """The action behind every delete page: shows the reports, leaves blocked objects alone, calls the admin's hook."""

    removes = True

    def __init__(self) -> None:
        super().__init__(
            delete_selected, "Delete", permissions=["delete"], form=DeletionForm, reason="required", danger=True,
            detail=False, bulk=True, icon="delete", when=None, description="",
        )  # fmt: skip

    def bind(self, admin: ModelAdmin, request: HttpRequest, objects: Sequence[Any], data: Any) -> ActionForm:
        """Return the admin's deletion form, which asks for a confirmation only where one is needed."""
        form = admin.deletion_form(data, objects=objects, request=request)
        form.ask_reason(self.reason)
        return form

    def confirmation(
        self, admin: ModelAdmin, objects: Sequence[Any], form: Any, *, back: str, bulk: bool
    ) -> Confirmation:
        """Return the page with every object's report; those that a guard blocks are no targets."""
        return Confirmation(
            action=self,
            form=form,
            objects=objects,
            targets=[obj for obj, report in form.reports if form.allows(report)],
            back_url=back,
            bulk=bulk,
            reports=form.reports,
        )

    def perform(self, admin: ModelAdmin, request: HttpRequest, target: Any, cleaned: dict[str, Any]) -> Answer:
        """Call the admin's delete hook for one object."""
        name = str(target)
        admin.delete(request, target.pk, {"confirm": False, **cleaned})
        return f"Deleted {name}."

    def success(self, admin: ModelAdmin, done: Sequence[models.Model | None]) -> str:
        """Return the sentence for several deleted objects."""
        return f"Deleted {len(done)} {admin.opts.verbose_name_plural}."

    def log(self, admin: ModelAdmin, request: HttpRequest, target: models.Model, reason: str) -> None:
        """Write Django's own log entry of a deletion."""
        admin.log_deletions(request, [target])  # type: ignore[arg-type]


def delete_selected() -> None:
    """Lend the action the name under which Django keeps its own bulk deletion, which is thereby replaced."""
