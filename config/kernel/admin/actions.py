"""Actions of the admin: permission, confirmation page, then one operation for each object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from types import MethodType
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase

from config.kernel.admin.confirmation import Confirmation, confirmation_page
from config.kernel.admin.forms import ActionForm, Reason
from config.kernel.admin.outcome import Answer, Outcome
from config.kernel.admin.refusals import spelled_out
from config.kernel.admin.secrets import secrets_page
from config.kernel.admin.theme import ActionVariant
from config.kernel.errors import DomainError
from config.kernel.history import because
from config.kernel.secrets import issued_secrets

if TYPE_CHECKING:
    from config.kernel.admin.records import ModelAdmin

#: How many objects one confirmation may cover: each is a hidden field of its page.
BULK_LIMIT = 500


class Action:
    """
    One action of an admin page, as made by :func:`action` and :func:`list_action`; those say what the options mean.

    Django and the theme call it as the function they expect and read the attributes they know from it.
    """

    #: Templates read its label; without this they would call it first, as they do with every callable.
    do_not_call_in_templates = True

    #: Whether a successful run ends at the list, because the object's page is gone.
    removes = False

    def __init__(
        self,
        function: Callable[..., Answer],
        label: str,
        *,
        permissions: Iterable[str],
        form: type[ActionForm],
        reason: Reason,
        danger: bool,
        detail: bool,
        bulk: bool,
        icon: str | None,
        when: Callable[[Any], bool] | None,
        description: str,
        unframed: bool = False,
    ) -> None:
        self.function, self.label, self.form, self.reason, self.danger = function, label, form, reason, danger
        self.permissions, self.when, self.explanation = tuple(permissions), when, description
        self.detail, self.bulk, self.unframed = detail, bulk, unframed
        if not self.permissions:
            raise TypeError(f"The action {label} names no permission")
        self.__name__ = self.original_function_name = function.__name__
        self.__doc__ = function.__doc__
        self.short_description, self.icon, self.dialog = label.replace("%", "%%"), icon, None
        self.url_path = function.__name__.replace("_", "-")
        self.attrs: dict[str, Any] = {}
        self.variant = ActionVariant.DANGER if danger else ActionVariant.DEFAULT

    def __get__(self, admin: ModelAdmin | None, owner: type) -> Any:
        """Bind to the admin as a method does; from the class Django takes the action itself."""
        return self if admin is None else MethodType(self, admin)

    def __call__(
        self,
        admin: ModelAdmin,
        request: HttpRequest,
        queryset: models.QuerySet[Any] | None = None,
        *,
        object_id: str | None = None,
    ) -> HttpResponseBase | None:
        """Show the confirmation page, or carry out what was confirmed."""
        if not admin.permits(request, self):
            raise PermissionDenied
        if queryset is not None:
            return self._bulk(admin, request, queryset)
        if object_id is None:
            return self._page(admin, request, [], back=admin.list_url(request))
        obj = admin.get_object(request, unquote(object_id))
        if obj is None:
            return admin.not_found(request, object_id)
        return self._page(admin, request, [obj], back=admin.object_url(obj))

    def _bulk(self, admin: ModelAdmin, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponseBase | None:
        objects = list(queryset[: BULK_LIMIT + 1])
        if len(objects) > BULK_LIMIT:
            admin.message_user(
                request, f"Select at most {BULK_LIMIT} {admin.opts.verbose_name_plural} at a time.", messages.WARNING
            )
            return None
        return self._page(admin, request, objects, back=request.get_full_path(), bulk=True)

    def _page(
        self, admin: ModelAdmin, request: HttpRequest, objects: Sequence[Any], *, back: str, bulk: bool = False
    ) -> HttpResponseBase:
        # A list posts to itself both to ask for the page and to confirm it; only the latter carries this field.
        confirmed = request.method == "POST" and "confirmed" in request.POST
        form = self.bind(admin, request, objects, request.POST if confirmed else None)
        page = self.confirmation(admin, objects, form, back=back, bulk=bulk)
        if not confirmed or not page.allowed or not form.is_valid():
            return confirmation_page(admin, request, page)
        outcome = self.run(admin, request, page.targets, form.cleaned_data)
        if not bulk and outcome.refused:
            form.refuse(outcome.refused[0][1])
            return confirmation_page(admin, request, page)
        outcome.skipped = [obj for obj in objects if obj not in page.targets]
        return self._answer(admin, request, outcome, back=back)

    def bind(self, admin: ModelAdmin, request: HttpRequest, objects: Sequence[Any], data: Any) -> ActionForm:
        """Return the form of the confirmation page."""
        form = self.form(
            data, request.FILES if data is not None else None, objects=objects, request=request, auto_id="id_%s"
        )
        form.ask_reason(self.reason)
        return form

    def confirmation(
        self, admin: ModelAdmin, objects: Sequence[Any], form: ActionForm, *, back: str, bulk: bool
    ) -> Confirmation:
        """Return what the confirmation page says."""
        return Confirmation(
            action=self, form=form, objects=objects, targets=objects or [None], back_url=back, bulk=bulk
        )

    def run(self, admin: ModelAdmin, request: HttpRequest, targets: Sequence[Any], cleaned: dict[str, Any]) -> Outcome:
        """
        Do it to every target, each in a transaction of its own, so that one refusal undoes only itself.

        What asks the network runs in no transaction; its operation has its own.
        """
        outcome = Outcome()
        reason = cleaned.get("reason") or ""
        for target in targets:
            try:
                with (
                    spelled_out(),
                    issued_secrets() as issued,
                    nullcontext() if self.unframed else transaction.atomic(),
                    because(reason),
                ):
                    answer = self.perform(admin, request, target, cleaned)
                    if target is not None:
                        self.log(admin, request, target, reason)
            except DomainError as refusal:
                outcome.refused.append((target, refusal))
                continue
            outcome.done.append(target)
            outcome.answers.append(answer)
            outcome.issued.extend(issued)
        return outcome

    def perform(self, admin: ModelAdmin, request: HttpRequest, target: Any, cleaned: dict[str, Any]) -> Answer:
        """Call the admin's own function for one object, or for none."""
        arguments = () if target is None else (target.pk,)
        return self.function(admin, request, *arguments, cleaned)

    def log(self, admin: ModelAdmin, request: HttpRequest, target: models.Model, reason: str) -> None:
        """Write Django's own log entry, which the start page lists."""
        admin.log_change(request, target, f"{self.label}: {reason}" if reason else self.label)

    def _answer(self, admin: ModelAdmin, request: HttpRequest, outcome: Outcome, *, back: str) -> HttpResponseBase:
        if outcome.page is not None and not outcome.issued:
            return outcome.page
        outcome.report(admin, request, self.success(admin, outcome.done))
        if len(outcome.done) == 1 and isinstance(outcome.done[0], models.Model):
            # What the action deleted has no page to go back to.
            gone = self.removes or admin.get_object(request, outcome.done[0].pk) is None
            back = admin.list_url(request) if gone else back
        if outcome.issued:
            return secrets_page(request, outcome.issued, back, admin_site=admin.admin_site)
        return HttpResponseRedirect(back)

    def success(self, admin: ModelAdmin, done: Sequence[models.Model | None]) -> str:
        """Return the sentence for what was done where the action's function gave none."""
        if len(done) > 1:
            return f"{self.label}: {len(done)} {admin.opts.verbose_name_plural}."
        return f"{self.label}: {done[0]}." if done[0] is not None else f"{self.label}: done."
