"""What the admin's own pages of every app share."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString

View = Callable[..., HttpResponse]
ANY_STAFF = ""  # instead of a permission, where there is nothing to protect

_LINK = '<a class="text-primary-600 underline dark:text-primary-500" href="{}">{}</a>'


def staff_page(permission: str) -> Callable[[View], View]:
    """Let staff with a permission in, with ANY_STAFF all, and send strangers to the login page.

    A refresh gets 401 or 403 instead.
    """

    def guard(view: View) -> View:
        needs = permission_required([permission] if permission else [], raise_exception=True)
        page = admin.site.admin_view(needs(view))

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if is_refresh(request) and not admin.site.has_permission(request):
                return HttpResponse(status=403 if request.user.is_authenticated else 401)
            return page(request, *args, **kwargs)

        guarded.required_permission = permission  # type: ignore[attr-defined]
        return guarded

    return guard


def not_permitted(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Say what the user lacks, in the look of the admin."""
    return render(request, "403.html", admin.site.each_context(request), status=403)


def is_refresh(request: HttpRequest) -> bool:
    """Return whether a page asks for a part of itself."""
    return "HX-Request" in request.headers


def require_permission(request: HttpRequest, permission: str) -> None:
    """Refuse staff without a permission."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def link_to(address: str, text: object) -> SafeString:
    """Return a link for a cell of a list."""
    return format_html(_LINK, address, text)
