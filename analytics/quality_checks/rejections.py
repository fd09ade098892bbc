"""What did not become an event, and whether every event is accounted for."""

from datetime import datetime, timedelta

from django.db.models import Count

from analytics.capture import ledger
from analytics.models import RejectedEvent
from analytics.rollups import definitions
from common.data_quality import NO_DATA, PASSED, Check, CheckVerdict, Example, Finding
from common.formatting import number, percent

WITHIN = timedelta(hours=24)
MOST = 0.01  # of what arrived; more is a failure
SHOWN = 5
_PAGE = "analytics:ingestion-page"


class RejectedEvents(Check):
    slug = "rejected_events"
    name = "Rejected events"
    family = "Rejected events"
    remedy = "Rejected events in the admin shows each with its reason; edit and retry them there."

    def run(self, *, now: datetime) -> Finding:
        if not ledger.anything_arrived():
            return NO_DATA
        lately = RejectedEvent.objects.filter(rejected_at__gt=now - WITHIN)
        affected = lately.count()
        if not affected:
            return PASSED
        first, last = (now - WITHIN).date(), now.date()
        entries = ledger.entries(first=first, last=last)
        share = affected / max(sum(one.accepted for one in entries), affected)
        reasons = lately.values_list("reason").annotate(number=Count("pk")).order_by("-number")
        examples = [
            Example(f"{number(count)}: {reason}", "admin:analytics_rejectedevent_changelist")
            for reason, count in reasons[:SHOWN]
        ]
        verdict = CheckVerdict.FAIL if share > MOST else CheckVerdict.WARNING
        events = number(affected)
        detail = f"{events} events were rejected within 24 hours, {percent(share)} of what arrived."
        return Finding(verdict, affected, detail, examples)


class IngestionLedger(Check):
    slug = "ingestion_ledger"
    name = "The ingestion ledger adds up"
    family = "Rejected events"
    remedy = "The ingestion page shows the hour; an issue report with it would help."

    def run(self, *, now: datetime) -> Finding:
        if not ledger.anything_arrived():
            return NO_DATA
        last = definitions.last_complete_day(now)
        entries = ledger.entries(first=last - timedelta(days=6), last=last)
        wrong = [one for one in entries if not one.adds_up]
        if not wrong:
            return PASSED
        missing = sum(abs(one.missing) for one in wrong)
        examples = [
            Example(f"{one.start:%Y-%m-%d}, {one.project_key}: {number(one.missing)}", _PAGE)
            for one in wrong[:SHOWN]
        ]
        detail = f"{number(missing)} events of the last 7 days are not accounted for."
        return Finding(CheckVerdict.FAIL, missing, detail, examples)
