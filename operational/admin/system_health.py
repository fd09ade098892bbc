"""The system health page."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from common.admin.pages import staff_page
from operational.admin.pages import page
from operational.health.system_health import system_health


@staff_page("operational.view_heartbeat")
@require_GET
def health_page(request: HttpRequest) -> HttpResponse:
    health = system_health(timezone.now())
    return page(request, "system_health", title="System health", health=health)
