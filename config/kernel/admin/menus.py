"""Which actions an admin's pages offer: buttons, or one menu; higher apps may add actions of theirs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.sites import all_sites
from django.contrib.admin.utils import quote, unquote
from django.db import models
from django.http import HttpRequest
from django.urls import reverse

from config.kernel.admin.actions import Action
from config.kernel.admin.theme import ActionVariant, ThemedModelAdmin

#: The theme's menu opens by the mouse alone; with these it also opens by the keyboard, and says what it is.
MENU_ATTRIBUTES = {
    "role": "button",
    "tabindex": "0",
    "aria-haspopup": "true",
    "x-bind:aria-expanded": "actionDropdownOpen",
    "x-on:keydown.enter.prevent": "actionDropdownOpen = true; "
    "setTimeout(() => document.querySelector('nav[x-show=actionDropdownOpen] a').focus(), 100)",
    "x-on:keydown.escape.window": "actionDropdownOpen = false",
}


class OfferedActions(ThemedModelAdmin):
    """The actions of an admin: those its class declares, in the order of their definition, and those added to it."""

    #: Whether the object's page shows one menu instead of a button for each action; deletion then is its last entry.
    actions_menu = False

    #: The names of the actions that higher apps have added, each with the name of the one it stands behind.
    added_actions: ClassVar[dict[str, str]] = {}

    def __init__(self, model: type[models.Model], admin_site: admin.AdminSite) -> None:
        self.arrange_actions()
        super().__init__(model, admin_site)

    def arrange_actions(self) -> None:
        """Tell Django and the theme which actions there are."""
        found = self.declared_actions()
        names = [name for name, one in found.items() if one.bulk]
        self.actions = [name for name in names if name != "delete_selected" or self.has_hook("delete")]
        self.actions_detail = [name for name, one in found.items() if one.detail]
        self.actions_list = [name for name, one in found.items() if not one.detail and not one.bulk]

    @classmethod
    def declared_actions(cls) -> dict[str, Action]:
        """Return the actions of this class and its bases, those of the bases first, and those added at their places."""
        own = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
        names = [name for name in own if name not in cls.added_actions]
        for name, after in cls.added_actions.items():
            names.insert(names.index(after) + 1, name)
        found = {name: getattr(cls, name, None) for name in names}
        return {name: one for name, one in found.items() if isinstance(one, Action)}

    @classmethod
    def extend(cls, action: Action, *, after: str) -> None:
        """
        Add an action of a higher app, which this one cannot import, behind the action named ``after``.

        Called where the higher app's admin is imported, when this admin is registered already.
        """
        setattr(cls, action.__name__, action)
        cls.added_actions = {**cls.added_actions, action.__name__: after}
        for site in all_sites:
            for one in site._registry.values():
                if isinstance(one, cls):
                    one.arrange_actions()

    @classmethod
    @abstractmethod
    def has_hook(cls, name: str) -> bool:
        """Tell whether this admin defines the hook ``name`` itself."""

    @abstractmethod
    def permits(self, request: HttpRequest, action: Action) -> bool:
        """Tell whether the operator has every permission that ``action`` names."""

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Gather the buttons of an object's page into one menu where the admin wants that."""
        if self.actions_menu and context["original"] is not None:
            items = [*context.get("actions_detail", ()), *self._deletion_entry(request, context["original"])]
            menu = {"title": "Actions", "variant": ActionVariant.PRIMARY, "items": items, "attrs": MENU_ATTRIBUTES}
            context = {**context, "actions_detail": [menu] if items else [], "show_delete": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def _deletion_entry(self, request: HttpRequest, obj: models.Model) -> list[dict[str, Any]]:
        """Return the menu's entry that leads to the delete page, for those who may delete."""
        if not self.has_delete_permission(request, obj):
            return []
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_delete"
        path = reverse(name, args=[quote(obj.pk)])
        return [{"title": "Delete", "icon": "delete", "variant": ActionVariant.DANGER, "attrs": {}, "path": path}]

    def _filter_actions_by_permissions(self, request: HttpRequest, actions: Iterable[Any]) -> list[Any]:
        """Keep the bulk actions made by ``@action`` that the operator may run."""
        return [one for one in actions if isinstance(one[0], Action) and self.permits(request, one[0])]

    def _filter_unfold_actions_by_permissions(
        self, request: HttpRequest, actions: Sequence[Any], object_id: Any = None
    ) -> list[Any]:
        """Keep the buttons the operator may press and that make sense for the object."""
        mine = [(one, getattr(type(self), one.method.__name__)) for one in actions]
        allowed = [(one, action) for one, action in mine if self.permits(request, action)]
        if object_id is None or not any(action.when for _, action in allowed):
            return [one for one, _ in allowed]
        obj = self.get_object(request, unquote(str(object_id)))
        return [one for one, action in allowed if obj is None or action.when is None or action.when(obj)]
