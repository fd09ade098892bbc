"""Webhooks of mail providers, read and checked by Anymail's views.

Without `ANYMAIL_WEBHOOK_SECRET` there are none: who could forge an event could suppress anybody.
"""

import logging
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any

from anymail.signals import tracking
from anymail.urls import urlpatterns as anymail_urls
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from growth.suppression import mail_records, mail_reports

logger = logging.getLogger(__name__)

# What Anymail raises for a body or a time of another shape than the provider's.
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, OverflowError, OSError)

View = Callable[[HttpRequest], HttpResponse]


@csrf_exempt  # servers call it; its secret or signature is checked
def provider_webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """Record what a provider reports.

    A request without the secret, or with a body that is not the provider's, gets 400 and changes
    nothing.
    """
    view = _views().get(provider)
    if view is None or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404("There is no such webhook, or ANYMAIL_WEBHOOK_SECRET is not set.")
    try:
        return view(request)
    except ImproperlyConfigured:  # a key that signs this provider's webhooks is missing
        logger.warning("The webhook of %s lacks a setting of Anymail", provider)
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    except _UNREADABLE as error:
        logger.warning("A webhook of %s is not readable: %s", provider, type(error).__name__)
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)


@receiver(tracking)
def record_event(event: Any, esp_name: str, **_: Any) -> None:
    """Record an event of a checked request."""
    report = mail_reports.report_of(event, esp_name)
    if report is not None:
        mail_records.record(report, now=timezone.now())


@cache
def _views() -> dict[str, View]:
    """Return Anymail's views of tracking events by provider, such as "postmark"."""
    suffixes = "_tracking_webhook", "_webhook"
    names = {entry.name: entry.callback for entry in anymail_urls if "inbound" not in entry.name}
    return {
        name.removesuffix(suffixes[0]).removesuffix(suffixes[1]): view
        for name, view in names.items()
    }
