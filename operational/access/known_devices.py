"""Browsers in which a user logged in before, recognized by a signed cookie.

Their attempts are counted apart from those of strangers, who therefore cannot delay a user there
(OWASP: "Slow Down Online Guessing Attacks with Device Cookies").
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

COOKIE = "plumbline_device"
_AGE = timedelta(days=180)
_SALT = "known device"


def device_id(request: HttpRequest, username: str) -> str:
    """Return the id of this browser if the user logged in with it before, else ""."""
    try:
        name, device = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_AGE)
    except (signing.BadSignature, ValueError):
        return ""
    return str(device) if name == username else ""


def remember(request: HttpRequest, response: HttpResponseBase, username: str) -> None:
    """Set the cookie after a login, unless the browser has it."""
    if device_id(request, username):
        return
    value = signing.dumps([username, secrets.token_urlsafe(16)], salt=_SALT)
    response.set_cookie(
        COOKIE,
        value,
        max_age=_AGE,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
    )
