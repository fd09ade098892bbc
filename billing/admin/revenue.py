"""The revenue page: current MRR, its waterfall by month, and the movements as CSV."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET
from rest_framework.exceptions import ValidationError

from analytics.api.parameters import AsOfRangeQuery, parsed
from analytics.rollups import definitions
from billing.models import MrrMovement
from billing.revenue import customer_churn, lifetime_value, movements, mrr
from billing.revenue import settings as revenue_settings
from billing.revenue.movements import MovementPeriod
from common.admin.pages import staff_page
from common.calculations.charts import Chart, Part, axis_from_zero, bar, bar_labels
from common.calculations.currency import DECIMALS
from common.csv_download import csv_download
from common.formatting import short_month

MOST_MONTHS = 60
_COLUMNS = (
    "day customer_id kind amount currency original_amount fx_rate opening closing sources"
).split()


@staff_page("billing.view_mrrmovement")
@require_GET
def revenue_page(request: HttpRequest) -> HttpResponse:
    parameters = request.GET.dict()
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Revenue",
        "given": parameters,
        "to_rebuild": revenue_settings.rebuild_needed(),
        "empty": mrr.first_day() is None,
    }
    try:
        query = parsed(AsOfRangeQuery, request.GET)
    except ValidationError as error:
        context["errors"] = error.detail
    else:
        context |= _numbers(query, is_explicit=bool(parameters.get("as_of")))
    return TemplateResponse(request, "admin/billing/revenue.html", context)


@staff_page("billing.view_mrrmovement")
@require_GET
def movements_csv(request: HttpRequest) -> Any:
    """Download the movements of the days `from` to `to`; amounts are minor units."""
    try:
        query = parsed(AsOfRangeQuery, request.GET)
    except ValidationError as error:
        return HttpResponse(str(error.detail), status=400, content_type="text/plain")
    rows = MrrMovement.objects.counted().order_by("day", "customer_id", "currency")
    first, last = query["first"], query["last"]
    if request.GET.get("as_of"):  # without it today's movements are included
        last = min(last or query["as_of"], query["as_of"])
    if first:
        rows = rows.filter(day__gte=first)
    if last:
        rows = rows.filter(day__lte=last)
    return csv_download("mrr-movements.csv", _COLUMNS, map(_cells, rows.iterator()))


def _numbers(query: dict[str, Any], *, is_explicit: bool) -> dict[str, Any]:
    # Without an explicit day the page includes today's movements.
    today = definitions.last_complete_day() + timedelta(days=1)
    as_of: date = query["as_of"] if is_explicit else today
    last = min(query["last"] or as_of, as_of)
    first = query["first"] or max(
        movements.first_of_twelve_months(last), min(mrr.first_day() or last, last).replace(day=1)
    )
    first = max(first, (last - timedelta(days=31 * MOST_MONTHS)).replace(day=1))
    now = mrr.report(as_of=as_of)
    months = movements.by_period(first=first, last=last, as_of=as_of)
    return {
        "query": query,
        "now": now,
        "today": today,
        "churn": customer_churn.last_30_days(as_of=as_of),
        "ltv": lifetime_value.estimate(as_of=as_of),
        "months": months[::-1],
        "chart": waterfall(months, currency=now.currency),
    }


def waterfall(months: Sequence[MovementPeriod], *, currency: str) -> Chart:
    """Draw each month's gains upwards from its opening MRR, and its losses downwards."""
    unit = 10 ** DECIMALS[currency]
    axis = axis_from_zero(
        [value / unit for month in months for value in (month.closing, _top(month))]
    )
    parts = [
        Part(bar(number, 2 * len(months), start=start / unit, end=end / unit, axis=axis), kind)
        for position, month in enumerate(months)
        for number, start, end, kind in _steps(2 * position, month)
    ]
    labels = bar_labels([short_month(month.start) for month in months])
    return Chart(ticks=axis.counts, labels=labels, parts=parts)


def _top(month: MovementPeriod) -> int:
    return month.opening + month.new + month.reactivation + month.expansion


def _steps(number: int, month: MovementPeriod) -> Iterator[tuple[int, int, int, str]]:
    level = month.opening
    yield number, 0, level, "open"
    for kind in ("new", "reactivation", "expansion"):
        yield number, level, level + getattr(month, kind), kind
        level += getattr(month, kind)
    for kind in ("contraction", "churn"):
        yield number + 1, level, level - getattr(month, kind), kind
        level -= getattr(month, kind)
    yield number + 1, 0, level, "open"


def _cells(row: MrrMovement) -> list[Any]:
    return [*(getattr(row, name) for name in _COLUMNS[:-1]), " ".join(row.sources)]
