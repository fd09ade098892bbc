"""Staff and their groups, in the admin theme.

No one changes staff or a group with a right that they lack themselves: setting another
person's password, or one's own groups, would give it.
"""

from typing import Any, cast

import django_otp.plugins.otp_static.admin
import django_otp.plugins.otp_totp.admin  # noqa: F401  register the lists that are removed here
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from common.admin.model_admin import ModelAdmin
from common.formatting import counted
from operational.access import rights, second_factor

admin.site.unregister([User, Group])
# Their pages show secrets. Everyone has a page of their own; for others there is the action below.
admin.site.unregister([StaticDevice, TOTPDevice])


class WithinOwnRights:
    """Refuses changes to what has more rights than the user, and offers no more than these."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and rights.covers(_user(request), obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and rights.covers(_user(request), obj)  # type: ignore[misc]

    def formfield_for_manytomany(
        self, db_field: Field, request: HttpRequest | None = None, **options: Any
    ) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **options)  # type: ignore[misc]
        if request and field and db_field.name in {"permissions", "user_permissions", "groups"}:
            field.queryset = field.queryset.exclude(
                pk__in=rights.beyond(_user(request), field.queryset)
            )
        return field


@admin.register(User)
class UserAdmin(WithinOwnRights, DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = [*DjangoUserAdmin.list_display, "has_second_factor"]  # type: ignore[misc]
    actions = ["reset_second_factor"]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if _user(request).is_superuser else [*fields, "is_superuser"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users: QuerySet[User] = super().get_queryset(request)
        return users.annotate(second_factor=second_factor.HAS_SECOND_FACTOR)

    @admin.display(boolean=True, description="second factor", ordering="second_factor")
    def has_second_factor(self, user: Any) -> bool:
        return bool(user.second_factor)

    @admin.action(description="Reset the second factor", permissions=["change"])
    def reset_second_factor(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Remove apps, passkeys and recovery codes of those with no more rights than one's own."""
        by = _user(request)
        covered = [user for user in users if rights.covers(by, user)]
        done = sum(second_factor.reset(user, by=by) for user in covered)
        messages.success(request, f"Reset the second factor of {counted(done, 'user')}.")


@admin.register(Group)
class StaffGroupAdmin(WithinOwnRights, DjangoGroupAdmin, ModelAdmin):
    pass


def _user(request: HttpRequest) -> User:
    return cast("User", request.user)
