"""Staff and their groups, in the admin theme."""

from typing import Any, cast

import django_otp.plugins.otp_static.admin
import django_otp.plugins.otp_totp.admin  # noqa: F401  register the lists that are removed here
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from common.admin.model_admin import ModelAdmin
from common.formatting import counted
from operational.access import second_factor

admin.site.unregister([User, Group])
# Their pages show secrets. Everyone has a page of their own; for others there is the action below.
admin.site.unregister([StaticDevice, TOTPDevice])


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = [*DjangoUserAdmin.list_display, "has_second_factor"]  # type: ignore[misc]
    actions = ["reset_second_factor"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users: QuerySet[User] = super().get_queryset(request)
        return users.annotate(second_factor=second_factor.HAS_SECOND_FACTOR)

    @admin.display(boolean=True, description="second factor", ordering="second_factor")
    def has_second_factor(self, user: Any) -> bool:
        return bool(user.second_factor)

    @admin.action(description="Reset the second factor", permissions=["change"])
    def reset_second_factor(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Remove apps, passkeys and recovery codes; only a superuser does so for superusers."""
        by = cast("User", request.user)
        if not by.is_superuser:
            users = users.filter(is_superuser=False)
        done = sum(second_factor.reset(user, by=by) for user in users)
        messages.success(request, f"Reset the second factor of {counted(done, 'user')}.")


@admin.register(Group)
class StaffGroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass
