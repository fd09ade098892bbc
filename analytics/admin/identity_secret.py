"""The page of the identity secret: show it, replace it, and check a signature."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from analytics.capture import snippets, verified_identity
from analytics.models import IdentitySecret
from common.admin.pages import require_permission, staff_page
from common.formatting import counted

_CHANGE = "analytics.change_identitysecret"


@never_cache
@staff_page("analytics.view_identitysecret")
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Identity secret",
        "may_change": request.user.has_perm(_CHANGE),
        "snippets": snippets.IDENTITY_SNIPPETS,
    }
    if request.method == "POST":
        context |= _act(request, request.POST.get("action", ""))
    context["secrets"] = IdentitySecret.objects.order_by("-pk")
    return TemplateResponse(request, "admin/analytics/identity_secret.html", context)


def _act(request: HttpRequest, action: str) -> dict[str, Any]:
    """Do what a button asks for, and return what the page shows then."""
    if action == "check":
        distinct_id, value = (request.POST.get(name, "").strip() for name in ("id", "hash"))
        verdict = verified_identity.verdict(distinct_id, value)
        return {"checked_id": distinct_id, "checked_hash": value, "verdict": verdict}
    require_permission(request, _CHANGE)
    if action == "retire":
        retired = verified_identity.retire_earlier(now=timezone.now())
        messages.success(request, f"{counted(retired, 'earlier secret')} retired.")
        return {}
    if action == "new":
        verified_identity.new_secret()
        messages.success(request, "A new secret is in use; the earlier ones still verify.")
    return {"secret": verified_identity.secret_of(verified_identity.current_secret())}
