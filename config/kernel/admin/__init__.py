"""Everything an admin page of ours is made of; apps import from here, and nothing of the theme itself."""

from __future__ import annotations

from django.contrib.admin import register
from django.contrib.admin.sites import site

from config.kernel.admin import checks as checks
from config.kernel.admin.actions import Action
from config.kernel.admin.autocomplete import suggestions
from config.kernel.admin.columns import (
    Colour,
    badge,
    change_url,
    link_to,
    money_column,
    page_link,
    status_badge,
)
from config.kernel.admin.decorators import action, list_action
from config.kernel.admin.filters import RelatedToFilter, StatusFilter
from config.kernel.admin.forms import ActionForm, DeletionForm, RecordForm
from config.kernel.admin.inlines import LinkedRows, TabularInline
from config.kernel.admin.metadata import MetadataField, metadata_lines
from config.kernel.admin.pages import own_page, page_action
from config.kernel.admin.records import ModelAdmin, ReadOnlyModelAdmin
from config.kernel.admin.secrets import secrets_page
from config.kernel.admin.theme import (
    AdminPasswordChangeForm,
    AutocompleteFilter,
    BooleanFilter,
    ChoicesFilter,
    DropdownFilter,
    RangeDateTimeFilter,
    RelatedFilter,
    SecretText,
    UserChangeForm,
    UserCreationForm,
    display,
)

__all__ = [
    "Action",
    "ActionForm",
    "AdminPasswordChangeForm",
    "AutocompleteFilter",
    "BooleanFilter",
    "ChoicesFilter",
    "Colour",
    "DeletionForm",
    "DropdownFilter",
    "LinkedRows",
    "MetadataField",
    "ModelAdmin",
    "RangeDateTimeFilter",
    "ReadOnlyModelAdmin",
    "RecordForm",
    "RelatedFilter",
    "RelatedToFilter",
    "SecretText",
    "StatusFilter",
    "TabularInline",
    "UserChangeForm",
    "UserCreationForm",
    "action",
    "badge",
    "change_url",
    "display",
    "link_to",
    "list_action",
    "metadata_lines",
    "money_column",
    "own_page",
    "page_action",
    "page_link",
    "register",
    "secrets_page",
    "site",
    "status_badge",
    "suggestions",
]
