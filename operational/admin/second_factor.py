"""Everyone's own second factor: set up, verified at a login, removed."""

from base64 import b32encode
from typing import cast

import segno
from django import forms
from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp_webauthn.models import WebAuthnCredential
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from common.admin.pages import ANY_STAFF, staff_page
from operational.access import second_factor
from operational.access.second_factor import LoginStep
from operational.admin.pages import page


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=40,
        label="Code",
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}
        ),
    )


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="Your password",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )


@staff_page(ANY_STAFF)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    return _overview(request)


@staff_page(ANY_STAFF)
@sensitive_post_parameters("password")
@require_POST
def allow_adding(request: HttpRequest) -> HttpResponse:
    if _password_is_right(request):
        second_factor.allow_adding(request)
    return redirect("operational:second-factor")


@staff_page(ANY_STAFF)
@require_POST
def start_app(request: HttpRequest) -> HttpResponse:
    second_factor.start_app(_user(request))
    return redirect("operational:second-factor")


@staff_page(ANY_STAFF)
@require_POST
def confirm_app(request: HttpRequest) -> HttpResponse:
    """Take the app into use, and show recovery codes, if there are none, for when it is lost."""
    user, form = _user(request), CodeForm(request.POST)
    if form.is_valid() and second_factor.confirm_app(request, user, form.cleaned_data["code"]):
        messages.success(request, "The app is set up.")
        if second_factor.recovery_codes_left(user):
            return redirect("operational:second-factor")
        return _overview(request, codes=second_factor.new_recovery_codes(user))
    messages.error(request, "The code is wrong or expired. Is the phone's clock right?")
    return redirect("operational:second-factor")


@staff_page(ANY_STAFF)
@sensitive_post_parameters("password")
@require_POST
def new_codes(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    if not _password_is_right(request) or not second_factor.has_second_factor(user):
        return redirect("operational:second-factor")
    return _overview(request, codes=second_factor.new_recovery_codes(user))


@staff_page(ANY_STAFF)
@sensitive_post_parameters("password")
@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    device = request.POST.get("device", "")
    if _password_is_right(request) and second_factor.remove(_user(request), device):
        messages.success(request, "Removed.")
    return redirect("operational:second-factor")


@login_required
@never_cache
@sensitive_post_parameters("code")
def verify(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor after the password."""
    user, form = _user(request), CodeForm(request.POST or None)
    if second_factor.next_step(user) is not LoginStep.VERIFY:
        return redirect(_next(request))
    if request.method == "POST" and form.is_valid():
        if second_factor.verify(request, user, form.cleaned_data["code"]):
            return redirect(_next(request))
        form.add_error("code", "The code is wrong, used or expired.")
    has_passkey = any(
        isinstance(device, WebAuthnCredential) for device in second_factor.devices(user)
    )
    context = {"form": form, "next": _next(request), "has_passkey": has_passkey}
    return page(request, "verify", title="Second factor", **context)


def _overview(request: HttpRequest, *, codes: list[str] | None = None) -> HttpResponse:
    user = _user(request)
    app = second_factor.app_to_confirm(user)
    devices = second_factor.devices(user)
    context = {
        "devices": devices,
        "may_add": second_factor.may_add(request),
        "has_app": any(isinstance(device, TOTPDevice) for device in devices),
        "app": app,
        "app_key": b32encode(app.bin_key).decode() if app else "",
        "qr_code": _qr_code(app.config_url) if app else "",
        "code_form": CodeForm(),
        "password_form": PasswordForm(),
        "codes": codes,
        "codes_left": second_factor.recovery_codes_left(user),
        "must_set_up": second_factor.next_step(user) is LoginStep.SET_UP,
    }
    return page(request, "second_factor", title="Second factor", **context)


def _qr_code(text: str) -> SafeString:
    """Return an SVG that needs no request of its own and no style attribute."""
    return mark_safe(segno.make(text).svg_inline(scale=5, border=4, light="#fff"))  # noqa: S308


def _password_is_right(request: HttpRequest) -> bool:
    """Check the password of a form, within the login limits."""
    username, password = _user(request).get_username(), request.POST.get("password", "")
    right = authenticate(request, username=username, password=password) is not None
    if not right:
        messages.error(request, "The password is wrong. Nothing was changed.")
    return right


def _user(request: HttpRequest) -> User:
    return cast("User", request.user)


def _next(request: HttpRequest) -> str:
    """Return the address on this host that was asked for before the login, or the dashboard."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    hosts = {request.get_host()}
    if url_has_allowed_host_and_scheme(address, hosts, require_https=request.is_secure()):
        return address
    return resolve_url("operational:dashboard")
