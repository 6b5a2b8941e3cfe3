"""The admin pages of records: they change nothing themselves but hand their forms to operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from typing import Any, ClassVar

from django import forms
from django.contrib.admin import helpers
from django.contrib.admin.utils import quote
from django.contrib.auth import get_permission_codename
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.kernel.admin.actions import Action
from config.kernel.admin.deletion import Deletion
from config.kernel.admin.forms import AmountInput, DeletionForm, RecordForm
from config.kernel.admin.history import Words, history_manager, history_page
from config.kernel.admin.inlines import ShownFields
from config.kernel.admin.menus import OfferedActions
from config.kernel.admin.paging import CappedPaginator
from config.kernel.admin.refusals import spelled_out
from config.kernel.admin.secrets import secrets_page
from config.kernel.admin.theme import ROW_CHECKBOX_CLASSES, SELECT_ALL, AmountWidget, display
from config.kernel.errors import DomainError
from config.kernel.history import because
from config.kernel.money import AmountField
from config.kernel.secrets import issued_secrets

MODEL_PERMISSIONS = ("view", "add", "change", "delete")

#: What an operation has just refused; the same request is then answered once more, as an invalid form.
_refusal: ContextVar[DomainError | None] = ContextVar("refusal", default=None)


class ModelAdmin(ShownFields, OfferedActions):
    """
    A record's list, form, history, deletion and actions.

    Subclasses say which operations their forms lead to by defining ``create``, ``change`` and ``delete``; a page
    without its hook is not offered. Actions declared with ``@action`` and ``@list_action`` are found by themselves,
    in the order of their definition; ``actions_menu = True`` gathers them into one menu.
    """

    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    paginator = CappedPaginator
    list_filter_submit = True
    form: type[forms.ModelForm[Any]] = RecordForm
    formfield_overrides: ClassVar[dict[Any, Any]] = {AmountField: {"form_class": AmountInput, "widget": AmountWidget}}
    #: How the history puts the values of fields of which it cannot know, by the name of the field.
    history_words: ClassVar[Words] = {}
    #: What the delete page asks for; replace it to ask for more.
    deletion_form: type[DeletionForm] = DeletionForm
    #: Names of the relations whose rows link the record to others; its history tells what came and went.
    linked_history: Sequence[str] = ()

    delete_selected = Deletion()

    # The hooks: each calls one operation.

    def create(self, request: HttpRequest, form: Any) -> models.Model:
        """Make a record of ``form.cleaned_data`` through an operation and return it."""
        raise PermissionDenied

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> models.Model:
        """Change the record ``obj_id`` as ``form.cleaned_data`` says through an operation and return it."""
        raise PermissionDenied

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete the record ``obj_id`` through an operation; ``cleaned`` has ``confirm`` and ``reason``."""
        raise PermissionDenied

    @classmethod
    def has_hook(cls, name: str) -> bool:
        """Tell whether this admin defines the hook ``name`` itself."""
        return getattr(cls, name) is not getattr(ModelAdmin, name)

    # Permissions: a page needs its hook, an action only what it names.

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Offer the add page to those who may, where there is an operation behind it."""
        return self.has_hook("create") and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Offer an editable form to those who may, where there is an operation behind it."""
        return self.has_hook("change") and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Offer the delete page to those who may, where there is an operation behind it."""
        return self.has_hook("delete") and super().has_delete_permission(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show the page to those who may view or change such records, also where the form changes nothing."""
        return super().has_view_permission(request, obj) or super().has_change_permission(request, obj)

    def permits(self, request: HttpRequest, action: Action) -> bool:
        """Tell whether the operator has every permission that ``action`` names."""
        return all(self._has(request, name) for name in action.permissions)

    def _has(self, request: HttpRequest, name: str) -> bool:
        user: Any = request.user
        if name in MODEL_PERMISSIONS:
            return bool(user.has_perm(f"{self.opts.app_label}.{get_permission_codename(name, self.opts)}"))
        return bool(user.has_perm(name) if "." in name else getattr(self, f"has_{name}_permission")(request))

    @display(description=SELECT_ALL)
    def action_checkbox(self, obj: models.Model) -> SafeString:
        """Return the checkbox that selects ``obj``, named for those who hear the page; no template, a page has many."""
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="{}" aria-label="Select {}">',
            helpers.ACTION_CHECKBOX_NAME, obj.pk, ROW_CHECKBOX_CLASSES, obj,
        )  # fmt: skip

    # Saving.

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form; right after a refusal, one that is invalid for it. A page that only shows has no hints."""
        if obj is not None and not self.has_change_permission(request, obj):
            kwargs["help_texts"] = {}
        form = super().get_form(request, obj, change, **kwargs)
        form.refusal = _refusal.get()  # type: ignore[attr-defined]
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fieldsets, with the reason of a change last."""
        fieldsets: list[tuple[Any, Any]] = [
            (title, {**options, "fields": [name for name in options["fields"] if name != "change_reason"]})
            for title, options in super().get_fieldsets(request, obj)
        ]
        if obj is not None and self.has_change_permission(request, obj) and issubclass(self.form, RecordForm):
            fieldsets.append((None, {"fields": ["change_reason"]}))
        return fieldsets

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show or save the form; a refusal undoes everything and comes back as an error of the form."""
        try:
            with spelled_out(), issued_secrets() as issued:
                response = super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            token = _refusal.set(refusal)
            try:
                return super().changeform_view(request, object_id, form_url, extra_context)
            finally:
                _refusal.reset(token)
        if issued:
            back = response.url if hasattr(response, "url") else self.list_url(request)
            return secrets_page(request, issued, back, admin_site=self.admin_site)
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Call the hook instead of ``obj.save()``, and let Django's messages and redirect speak of what it returned."""
        with because(form.cleaned_data.pop("change_reason", "")):
            saved = self.change(request, obj.pk, form) if change else self.create(request, form)
        vars(obj).update(vars(saved))

    def save_related(self, request: HttpRequest, form: Any, formsets: Iterable[Any], change: bool) -> None:
        """Save nothing: inlines are read-only, and many-to-many fields are written by the hook's operation."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Name the fields changed; the inlines, which save nothing, have nothing to add."""
        return super().construct_change_message(request, form, [], add)

    # Deleting.

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Show the guards' report and delete what was confirmed."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        return self.delete_selected(request, object_id=object_id)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Call the hook instead of ``obj.delete()``."""
        self.delete(request, obj.pk, {"confirm": False, "reason": ""})

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Call the hook for each object instead of ``queryset.delete()``; all of them or none."""
        for obj in queryset:
            self.delete_model(request, obj)

    # Actions and history.

    def response_action(self, request: HttpRequest, queryset: models.QuerySet[Any], *args: Any) -> Any:
        """Run a bulk action; ids that are none are a bad request and no fault of ours."""
        try:
            return super().response_action(request, queryset, *args)
        except ValidationError as error:
            raise BadRequest("The selection holds something that is no id") from error

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show who changed what, when and why."""
        if not history_manager(self.model):
            return super().history_view(request, object_id, extra_context)
        return history_page(self, request, object_id)

    def suggested_as(self, obj: models.Model) -> str:
        """Return what ``obj`` is called where it is one of many to choose from."""
        return str(obj)

    # Addresses.

    def not_found(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say that there is no such object, and go to the start page."""
        parent: Any = self
        answer: HttpResponse = parent._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return answer

    def list_url(self, request: HttpRequest) -> str:
        """Return the path of the list, or of the start page for those who may not see the list."""
        if not self.has_view_or_change_permission(request):
            return reverse(f"{self.admin_site.name}:index")
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def object_url(self, obj: models.Model) -> str:
        """Return the path of the page of ``obj``."""
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[quote(obj.pk)])


class ReadOnlyModelAdmin(ModelAdmin):
    """Facts: listed and read, never added, changed or deleted here; actions may still concern them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Facts come from operations."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Facts stay as they are."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Facts stay."""
        return False

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Offer a history only of what has one."""
        shown = {**context, "show_history": bool(history_manager(self.model))}
        return super().render_change_form(request, shown, *args, **kwargs)
