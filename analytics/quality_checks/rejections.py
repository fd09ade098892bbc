"""Rejected events, and whether every event is accounted for."""

from datetime import datetime, timedelta

from django.db.models import Sum

from analytics.capture import ledger
from analytics.models import RejectedEvent
from analytics.rollups import definitions
from common.data_quality import NO_DATA, PASSED, Check, CheckVerdict, Example, Finding
from common.formatting import counted, number, percent

WITHIN = timedelta(hours=24)
MOST = 0.01  # of all arrivals; more is a failure
MAX_EXAMPLES = 5
_PAGE = "analytics:ingestion-page"


class RejectedEvents(Check):
    slug = "rejected_events"
    name = "Rejected events"
    family = "Rejected events"
    remedy = "See Rejected events in the admin for the reasons; edit and retry them there."

    def run(self, *, now: datetime) -> Finding:
        if not ledger.anything_arrived():
            return NO_DATA
        recent = RejectedEvent.objects.filter(rejected_at__gt=now - WITHIN)
        affected = recent.aggregate(events=Sum("events", default=0))["events"]
        if not affected:
            return PASSED
        first, last = (now - WITHIN).date(), now.date()
        entries = ledger.entries(first=first, last=last)
        share = affected / max(sum(entry.accepted for entry in entries), affected)
        reasons = recent.values_list("reason").annotate(number=Sum("events")).order_by("-number")
        examples = [
            Example(f"{number(count)}: {reason}", "admin:analytics_rejectedevent_changelist")
            for reason, count in reasons[:MAX_EXAMPLES]
        ]
        verdict = CheckVerdict.FAIL if share > MOST else CheckVerdict.WARNING
        events = counted(affected, "event")
        detail = f"{events} rejected within 24 hours, {percent(share)} of all arrivals."
        return Finding(verdict, affected, detail, examples)


class IngestionLedger(Check):
    slug = "ingestion_ledger"
    name = "The ingestion ledger adds up"
    family = "Rejected events"
    remedy = "Find the hour on the ingestion page, and please report an issue with it."

    def run(self, *, now: datetime) -> Finding:
        if not ledger.anything_arrived():
            return NO_DATA
        last = definitions.last_complete_day(now)
        entries = ledger.entries(first=last - timedelta(days=6), last=last)
        wrong = [entry for entry in entries if not entry.adds_up]
        if not wrong:
            return PASSED
        missing = sum(abs(entry.missing) for entry in wrong)
        examples = [
            Example(f"{entry.start.date()}, {entry.project_key}: {number(entry.missing)}", _PAGE)
            for entry in wrong[:MAX_EXAMPLES]
        ]
        detail = f"Not accounted for in the last 7 days: {counted(missing, 'event')}."
        return Finding(CheckVerdict.FAIL, missing, detail, examples)
