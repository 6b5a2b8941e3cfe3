"""The admin theme: the one module that imports django-unfold; everything else asks here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.contrib import admin
from django.forms.widgets import ChoiceWidget

if TYPE_CHECKING:
    # The theme ships no types; these are the classes it derives from, with what the theme adds to them.
    class ThemedModelAdmin(admin.ModelAdmin[Any]):
        """The theme's ``ModelAdmin``."""

        actions_list: Any
        actions_detail: Any
        actions_row: Any
        actions_submit_line: Any
        list_filter_submit: bool
        list_fullwidth: bool
        warn_unsaved_form: bool

    class AutocompleteForm(forms.Form):
        """The theme's form of a filter whose value is found by typing."""

        def __init__(
            self,
            *,
            request: Any,
            name: str,
            label: str,
            choices: tuple[()],
            field: Any,
            model_admin: admin.ModelAdmin[Any],
            data: dict[str, Any],
        ) -> None: ...

    class ThemedTabularInline(admin.TabularInline[Any, Any]):
        """The theme's ``TabularInline``."""

        per_page: int | None
        tab: bool
        hide_title: bool

    Shown = TypeVar("Shown", bound=Callable[..., Any])

    def display(
        *,
        description: str | None = None,
        ordering: str | None = None,
        boolean: bool | None = None,
        empty_value: str | None = None,
        header: bool | None = None,
        label: Any = None,
        dropdown: bool | None = None,
    ) -> Callable[[Shown], Shown]:
        """Return the theme's decorator of list columns."""

    from django.contrib.admin import AllValuesFieldListFilter as RangeDateTimeFilter
    from django.contrib.admin import BooleanFieldListFilter as BooleanFilter
    from django.contrib.admin import ChoicesFieldListFilter as ChoicesFilter
    from django.contrib.admin import RelatedFieldListFilter as AutocompleteFilter
    from django.contrib.admin import RelatedFieldListFilter as RelatedFilter
    from django.contrib.admin import SimpleListFilter as DropdownFilter
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
else:
    from unfold.admin import ModelAdmin as ThemedModelAdmin
    from unfold.admin import TabularInline as ThemedTabularInline
    from unfold.contrib.filters.admin import AutocompleteSelectFilter as AutocompleteFilter
    from unfold.contrib.filters.admin import BooleanRadioFilter as BooleanFilter
    from unfold.contrib.filters.admin import ChoicesDropdownFilter as ChoicesFilter
    from unfold.contrib.filters.admin import (
        DropdownFilter,
        RangeDateTimeFilter,
    )
    from unfold.contrib.filters.admin import RelatedDropdownFilter as RelatedFilter
    from unfold.contrib.filters.forms import AutocompleteDropdownForm as AutocompleteForm
    from unfold.decorators import display
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from unfold import forms as theme_forms
from unfold.enums import ActionVariant
from unfold.fields import UnfoldAdminReadonlyField
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
    UnfoldBooleanWidget,
)
from unfold.widgets import UnfoldAdminDecimalFieldWidget as AmountWidget

#: The looks of a text input that stands in a template of ours, and is painted red by that alone.
INPUT_LOOKS = " ".join(name for name in INPUT_CLASSES if "group-[" not in name)

__all__ = [
    "INPUT_LOOKS",
    "ROW_CHECKBOX_CLASSES",
    "SELECT_ALL",
    "ActionVariant",
    "AdminPasswordChangeForm",
    "AmountWidget",
    "AutocompleteFilter",
    "AutocompleteForm",
    "BooleanFilter",
    "ChoicesFilter",
    "DropdownFilter",
    "RangeDateTimeFilter",
    "RelatedFilter",
    "SecretText",
    "ThemedModelAdmin",
    "ThemedTabularInline",
    "UserChangeForm",
    "UserCreationForm",
    "display",
    "dress",
    "is_gone",
]


#: How the checkbox before a row looks, and the one above them all.
ROW_CHECKBOX_CLASSES: str = UnfoldBooleanWidget({"class": "action-select"}).attrs["class"]
SELECT_ALL: Any = getattr(ThemedModelAdmin.action_checkbox, "short_description", "")


def _native(input_type: str, text: str) -> type[forms.DateTimeInput]:
    """Return a date or time input of the browser's own: reachable by keyboard, and without scripts."""

    class Native(forms.DateTimeInput):
        def __init__(self, attrs: dict[str, Any] | None = None) -> None:
            super().__init__(attrs={"class": " ".join(INPUT_CLASSES), **(attrs or {}), "type": input_type}, format=text)

    return Native


class SecretText(forms.Textarea):
    """A secret of several lines, which no page shows again."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return what the template shows: nothing of the value."""
        return super().get_context(name, None, attrs)


class SecretTextWidget(SecretText, UnfoldAdminTextareaWidget):  # type: ignore[misc]
    """The theme's."""


#: The theme's widget for each stock widget of Django's forms.
_DRESSED: dict[type[forms.Widget], type[forms.Widget]] = {
    forms.TextInput: UnfoldAdminTextInputWidget,
    forms.NumberInput: AmountWidget,
    forms.EmailInput: UnfoldAdminEmailInputWidget,
    forms.PasswordInput: UnfoldAdminPasswordWidget,
    SecretText: SecretTextWidget,
    forms.URLInput: UnfoldAdminURLInputWidget,
    forms.Textarea: UnfoldAdminTextareaWidget,
    forms.Select: UnfoldAdminSelectWidget,
    forms.SelectMultiple: UnfoldAdminSelect2MultipleWidget,
    forms.RadioSelect: UnfoldAdminRadioSelectWidget,
    forms.CheckboxSelectMultiple: UnfoldAdminCheckboxSelectMultipleWidget,
    forms.CheckboxInput: UnfoldBooleanWidget,
    forms.ClearableFileInput: UnfoldAdminFileFieldWidget,
    forms.DateInput: _native("date", "%Y-%m-%d"),
    forms.DateTimeInput: _native("datetime-local", "%Y-%m-%dT%H:%M"),
}


def is_gone(obj: Any) -> bool:
    """Tell whether ``obj`` was deleted and only kept for the books, so that it has no page."""
    return getattr(obj, "deleted_at", None) is not None


class ShownField(UnfoldAdminReadonlyField):  # type: ignore[misc]
    """A value that is only shown; a record that was deleted has no page, so its name leads nowhere."""

    def get_admin_url(self, remote_field: Any, remote_obj: Any) -> str:
        """Return the record's name, as a link while it has a page."""
        return f"{remote_obj} (deleted)" if is_gone(remote_obj) else super().get_admin_url(remote_field, remote_obj)


# The theme names no setting for this class, and puts its own in Django's place in the same way.
theme_forms.UnfoldAdminReadonlyField = ShownField


def dress(form: forms.BaseForm) -> None:
    """Give every field of ``form`` that still has a stock widget the theme's, so that forms name no widgets."""
    for field in form.fields.values():
        plain = field.widget
        if type(plain) not in _DRESSED:
            continue
        widget = _DRESSED[type(plain)]()
        widget.attrs.update(plain.attrs)
        widget.is_required, widget.is_localized = plain.is_required, plain.is_localized
        if isinstance(plain, ChoiceWidget) and isinstance(widget, ChoiceWidget):
            widget.choices = plain.choices
        if isinstance(field, forms.DateTimeField):
            field.help_text = field.help_text or "In UTC."
        field.widget = widget
