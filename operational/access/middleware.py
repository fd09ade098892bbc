"""What holds for every request of people who log in: the second factor, and the login limits."""

import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from common.admin.pages import is_refresh
from common.api import problems
from operational.access import known_devices, second_factor
from operational.access.limits import TooManyAttempts, normalized
from operational.access.second_factor import LoginStep

# What may be opened before the step is done.
_OPEN = {
    LoginStep.VERIFY: {
        "admin:logout",
        "operational:verify",
        "otp_webauthn:credential-authentication-begin",
        "otp_webauthn:credential-authentication-complete",
        "otp_webauthn:js-i18n-catalog",
    },
    LoginStep.SET_UP: {
        "admin:logout",
        "operational:second-factor",
        "operational:start-app",
        "operational:confirm-app",
        "otp_webauthn:credential-registration-begin",
        "otp_webauthn:credential-registration-complete",
        "otp_webauthn:js-i18n-catalog",
    },
}
# What adds a second factor.
_ADDING = {
    "operational:start-app",
    "operational:confirm-app",
    "otp_webauthn:credential-registration-begin",
    "otp_webauthn:credential-registration-complete",
}
_PAGES = {LoginStep.VERIFY: "operational:verify", LoginStep.SET_UP: "operational:second-factor"}
_DETAILS = {
    LoginStep.VERIFY: "This session lacks the second factor: finish logging in.",
    LoginStep.SET_UP: "Set up a second factor in the admin first.",
}


class LoginMiddleware:
    """A session without its second factor is anonymous, except where it can be completed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # A login, and its second factor, change the session; other requests cost nothing here.
        user = request.user if request.session.modified else AnonymousUser()
        if user.is_authenticated and not second_factor.next_step(user):
            known_devices.remember(request, response, normalized(user.get_username()))
        return response

    def process_view(
        self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        step = second_factor.next_step(request.user)
        match = request.resolver_match
        view_name = match.view_name if match else ""
        if view_name in _ADDING and step is not LoginStep.VERIFY:
            return None if second_factor.may_add(request) else _needs_password(request)
        if step is None or view_name in _OPEN[step]:
            return None
        request.user = AnonymousUser()
        if problems.is_api(request):
            return problems.answer(HTTPStatus.FORBIDDEN, _DETAILS[step])
        if not request.path.startswith("/admin/"):
            return None
        if is_refresh(request):
            return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
        query = urlencode({"next": request.get_full_path()})
        return HttpResponseRedirect(f"{reverse(_PAGES[step])}?{query}")

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooManyAttempts):
            return None
        seconds = max(1, math.ceil((exception.retry_at - timezone.now()).total_seconds()))
        return TemplateResponse(
            request,
            "admin/too_many_attempts.html",
            {
                **admin.site.each_context(request),
                "retry_at": exception.retry_at,
                "seconds": seconds,
            },
            status=HTTPStatus.TOO_MANY_REQUESTS,
            headers={"Retry-After": str(seconds), "Cache-Control": "no-store"},
        ).render()


def _needs_password(request: HttpRequest) -> HttpResponse | None:
    """Send people to the form that takes the password; others are refused by the view itself."""
    if not request.user.is_authenticated:
        return None
    return HttpResponseRedirect(reverse("operational:second-factor"))
