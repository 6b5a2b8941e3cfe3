"""
People at the desk and their groups: Django's own records on Django's own pages, with the theme's forms.

They are saved by their forms and not by operations, because no rule of the business concerns them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.http import HttpRequest

from config.kernel.admin import (
    AdminPasswordChangeForm,
    BooleanFilter,
    ModelAdmin,
    RelatedFilter,
    UserChangeForm,
    UserCreationForm,
    register,
    site,
)

WHY_KEPT = (
    "Operators are never deleted, because histories name them. Untick “Active” when somebody leaves: nobody can then "
    "sign in under this name."
)
#: What an operator cannot change about the own account, so that nobody locks themselves out.
OWN_ACCESS = ("is_active", "is_staff", "is_superuser")

site.unregister(User)
site.unregister(Group)


class PermissionChoices(ModelAdmin):
    """Pages on which permissions are chosen."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the permissions on records; histories are read with their record and written by nobody."""
        if db_field.remote_field.model is Permission:
            records = Permission.objects.exclude(content_type__model__startswith="historical")
            kwargs["queryset"] = records.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@register(User)
class UserAdmin(StockUserAdmin[User], PermissionChoices):  # type: ignore[misc]
    """Who works here."""

    form = UserChangeForm  # type: ignore[assignment]
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "first_name", "last_name", "is_active", "is_superuser", "last_login")
    list_filter = (("is_active", BooleanFilter), ("is_superuser", BooleanFilter), ("groups", RelatedFilter))
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": (*OWN_ACCESS, "groups", "user_permissions"), "description": WHY_KEPT}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2")}),)
    readonly_fields = ("last_login", "date_joined")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Keep operators from raising themselves, and from locking themselves out."""
        operator: Any = request.user
        fixed = [*super().get_readonly_fields(request, obj)]
        if obj is not None and obj.pk == operator.pk:
            fixed += OWN_ACCESS
        if not operator.is_superuser:
            fixed += ["is_superuser", "user_permissions"]
        if not operator.has_perm("auth.change_group"):
            fixed.append("groups")
        return fixed

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let only superusers change superusers, their passwords included."""
        operator: Any = request.user
        is_above = obj is not None and obj.is_superuser and not operator.is_superuser
        return not is_above and super().has_change_permission(request, obj)

    def create(self, request: HttpRequest, form: Any) -> User:
        """Add an operator, who may sign in here; what else is allowed is said on the next page."""
        form.instance.is_staff = True
        user: User = form.save()
        return user

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> User:
        """Change an operator."""
        user: User = form.save()
        return user


@register(Group)
class GroupAdmin(PermissionChoices):
    """What operators may do, by role."""

    list_display = ("name",)
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name", "permissions")
    filter_horizontal = ("permissions",)

    def create(self, request: HttpRequest, form: Any) -> Group:
        """Add a group."""
        group: Group = form.save()
        return group

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Group:
        """Change a group."""
        group: Group = form.save()
        return group
