"""What the pages of operational share."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

View = Callable[..., HttpResponse]


def staff_page(view: View) -> View:
    """Let staff in and send others to the login page; a refresh gets 401 or 403 instead of it."""
    guarded_page = admin.site.admin_view(view)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_refresh(request) and not admin.site.has_permission(request):
            return HttpResponse(status=403 if request.user.is_authenticated else 401)
        return guarded_page(request, *args, **kwargs)

    return guarded


def is_refresh(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers


def page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), **context}
    return TemplateResponse(request, f"admin/operational/{name}.html", context)


def require(request: HttpRequest, permission: str) -> None:
    """Let only staff with a permission go on."""
    if not request.user.has_perm(permission):
        raise PermissionDenied
