"""API tokens: listed, made for a user and displayed once, revoked."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldBooleanWidget,
)

from common.admin.model_admin import ModelAdmin
from common.formatting import counted
from operational.access import rights, tokens
from operational.access.scopes import SCOPES
from operational.admin.pages import page
from operational.models import ApiToken


class TokenForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=[(scope, f"{scope}: {meaning}") for scope, meaning in SCOPES.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="They limit what its user may do and never add to it. Writing includes reading.",
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=tokens.LONGEST.days,
        initial=tokens.EXPIRES_IN.days,
        widget=UnfoldAdminIntegerFieldWidget,
        label="Expires in days",
    )
    never = forms.BooleanField(required=False, widget=UnfoldBooleanWidget, label="Never expires")

    class Meta:
        model = ApiToken
        fields = ["user", "name", "scopes"]


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    list_display = ["name", "user", "allowed", "created", "expiry", "last_used_at", "state"]
    list_filter = ["user"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username", "token_key"]
    fields = ["name", "user", "allowed", "token_key", "created", "expiry", "last_used_at", "state"]
    actions = ["revoke_selected"]

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_delete_permission(request))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)  # a revoked token remains listed
        return actions

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> list[str]:
        return [*self.fields] if obj else ["user", "name", "scopes", "days", "never"]

    def get_form(self, request: HttpRequest, obj: ApiToken | None = None, **kwargs: Any) -> Any:
        if obj is not None:
            return super().get_form(request, obj, **kwargs)
        form = super().get_form(request, obj, form=TokenForm, **kwargs)
        form.base_fields["user"].initial = request.user
        form.base_fields["user"].queryset = _users(request)
        return form

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ApiToken:
        entered = form.cleaned_data
        token, secret = tokens.create(
            entered["user"],
            name=entered["name"],
            scopes=entered["scopes"],
            expires_in=None if entered["never"] else timedelta(days=entered["days"]),
        )
        token.__dict__["secret"] = secret  # for `response_add`
        return token

    def save_model(self, *args: Any) -> None:
        """`save_form` has created the token."""

    def save_related(self, *args: Any) -> None:
        """A token has no related rows."""

    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Display the token, which no other page can."""
        secret = obj.__dict__["secret"]
        return page(request, "new_token", title="New API token", token=obj, secret=secret)

    @admin.action(description="Revoke the selected tokens", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, selected: QuerySet[ApiToken]) -> None:
        digests = [token.pk for token in selected]
        revoked = tokens.revoke(digests, now=timezone.now())
        for token in selected:
            self.log_change(request, token, "Revoked")
        messages.success(request, f"{counted(revoked, 'token')} revoked.")

    @admin.display(description="Scopes")
    def allowed(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description="State")
    def state(self, token: ApiToken) -> str:
        return tokens.state(token, now=timezone.now()).capitalize()


def _users(request: HttpRequest) -> QuerySet[User]:
    """Return whom the user may make tokens for: those whom they may change, and themselves."""
    users = User.objects.filter(is_active=True).order_by("username")
    by = cast("User", request.user)
    if not by.has_perm("auth.change_user"):
        return users.filter(pk=by.pk)
    return users.filter(pk__in=[user.pk for user in users if rights.covers(by, user)])
