"""The page of the ingestion ledger."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET
from rest_framework.exceptions import ValidationError

from analytics.api.ingestion import IngestionQuery
from analytics.api.parameters import parsed
from analytics.capture import ledger
from analytics.capture.ledger import LedgerEntry
from analytics.models import EventOutcome, ProjectKey
from common.admin.pages import staff_page

REJECTED_OUTCOMES = (EventOutcome.REJECTED, EventOutcome.REFUSED)  # with a list of the events


@dataclass(frozen=True, slots=True)
class LedgerReason:
    """The number of events with a reason; `address` is the URL of their list, or ""."""

    name: str
    events: int
    address: str = ""


@staff_page("analytics.view_capturehour")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {"values": request.GET.dict(), "keys": ProjectKey.objects.all()}
    try:
        query = parsed(IngestionQuery, request.GET)
    except ValidationError as error:
        context["errors"] = error.detail
    else:
        report = ledger.report(
            first=query["first"],
            last=query["last"],
            grain=query["by"],
            project_key=query.get("project_key"),
        )
        context["values"] |= {
            "from": f"{query['first']}",
            "to": f"{query['last']}",
            "by": query["by"],
        }
        context["query"] = query
        context["total"] = _row(report.total)
        context["rows"] = [_row(entry) for entry in report.periods]
        context["several_keys"] = len({entry.project_key for entry in report.periods}) > 1
    context |= admin.site.each_context(request)
    context |= {"title": "Ingestion", "no_events": not ledger.anything_arrived()}
    return TemplateResponse(request, "admin/analytics/ingestion.html", context)


def _row(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "entry": entry,
        "rejected": _amount(entry, EventOutcome.REJECTED, entry.rejected),
        "changed": _amount(entry, EventOutcome.CHANGED, entry.changed),
        "refused": _amount(entry, EventOutcome.REFUSED, entry.refused),
        "limited": _amount(entry, EventOutcome.LIMITED, entry.limited),
    }


def _amount(entry: LedgerEntry, outcome: EventOutcome, reasons: Counter[str]) -> dict[str, Any]:
    """Return a number of events and its reasons, the most frequent first."""
    return {
        "events": reasons.total(),
        "reasons": [
            LedgerReason(_words(reason), events, _rejected_events(entry, outcome, reason))
            for reason, events in reasons.most_common()
        ],
    }


def _words(reason: str) -> str:
    return reason.replace("_", " ")


def _rejected_events(entry: LedgerEntry, outcome: EventOutcome, reason: str) -> str:
    if outcome not in REJECTED_OUTCOMES:
        return ""
    filters = {
        "received_at__gte": entry.start.isoformat(),
        "received_at__lt": entry.end.isoformat(),
        "outcome__exact": outcome.value,
        "reason__exact": reason,
    }
    if entry.project_key_id is not None:
        filters["project_key__id__exact"] = str(entry.project_key_id)
    return f"{reverse('admin:analytics_rejectedevent_changelist')}?{urlencode(filters)}"
