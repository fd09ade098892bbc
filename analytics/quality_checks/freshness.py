"""Whether events still arrive."""

from datetime import datetime, timedelta

from django.db.models import Sum

from analytics.models import EventDay, EventMinute
from analytics.rollups import definitions
from analytics.rollups.minute_counts import EVERY_EVENT
from common.data_quality import NO_DATA, PASSED, Check, CheckVerdict, Finding
from common.formatting import number

USUAL_DAYS = 14
MOST_QUIET_DAYS = 4  # of those; with more of them, a day without events is not unusual
HOURS = timedelta(hours=3)
BUSY = 30  # events in the same hours of yesterday


class Freshness(Check):
    slug = "freshness"
    name = "Events arrive"
    family = "Freshness"
    remedy = (
        "Check the ingestion and capture health pages, then whether your product was deployed"
        " without its SDK or with another key."
    )

    def run(self, *, now: datetime) -> Finding:
        last = definitions.last_complete_day(now)
        first = EventDay.objects.filter(value__gt=0).order_by("day").first()
        if first is None or first.day > last:
            return NO_DATA
        newest = EventDay.objects.filter(value__gt=0).order_by("-day").first()
        if newest and newest.day < last - timedelta(days=USUAL_DAYS):
            return Finding(CheckVerdict.FAIL, 1, f"The last events are from {newest.day}.")
        days = _busy_days(last - timedelta(days=USUAL_DAYS), last)
        usual = min(USUAL_DAYS, (last - first.day).days) or 1
        is_usual = len(days - {last}) >= usual * (1 - MOST_QUIET_DAYS / USUAL_DAYS)
        if newest and newest.day < last and is_usual:
            return Finding(
                CheckVerdict.FAIL, 1, f"No events on {last}; the last events are from {newest.day}."
            )
        if not _events(now - HOURS, now):
            day = timedelta(days=1)
            yesterday = _events(now - day - HOURS + HOURS / 3, now - day)
            if yesterday >= BUSY:
                detail = f"No events in 3 hours; {number(yesterday)} in the same hours yesterday."
                return Finding(CheckVerdict.WARNING, 1, detail)
        return PASSED


def _busy_days(first: object, last: object) -> set[object]:
    days = EventDay.objects.filter(day__range=(first, last), value__gt=0)
    return set(days.values_list("day", flat=True).distinct())


def _events(start: datetime, end: datetime) -> int:
    minutes = EventMinute.objects.filter(event=EVERY_EVENT, minute__gte=start, minute__lt=end)
    return minutes.aggregate(events=Sum("value"))["events"] or 0
