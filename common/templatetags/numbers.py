"""`common.formatting` as filters, and what else pages of every app write."""

from collections.abc import Mapping
from typing import Any

from django import template

from common import formatting
from common.calculations.shortening import as_text, shortened, shortened_text
from common.calculations.statistics import Interval, Status
from common.formatting import Unit

register = template.Library()
register.filter("number", formatting.number)
register.filter("share", formatting.percent)
register.filter("change", formatting.change)
register.filter("ratio", formatting.decimals)
register.filter("money", formatting.money)
register.filter("duration", formatting.duration)
register.filter("day_month", formatting.day_month)
register.filter("full_day", formatting.full_day, expects_localtime=True)
register.filter("moment", formatting.moment, expects_localtime=True)
register.filter("exact_moment", formatting.exact_moment, expects_localtime=True)
register.filter("month_year", formatting.month_year)


@register.filter
def percent(share: float | None) -> str:
    """Show a share as a whole percentage; a line never ends before the sign."""
    return formatting.percent(share, 0).replace(" ", "\N{NO-BREAK SPACE}")


@register.filter
def ends(interval: Interval | None) -> str:
    """Show an interval of shares: "4.1 – 6.4 %"."""
    return formatting.interval(interval, Unit.RATE)


@register.filter
def status_label(status: Status) -> str:
    return formatting.STATUS_NAMES[status]


@register.filter
def pretty_json(value: Any) -> str:
    return formatting.pretty_json(value, sort_keys=True)


@register.filter
def short_json(properties: Mapping[str, Any]) -> str:
    """Show an object as JSON, with its long values shortened."""
    return formatting.pretty_json(shortened(properties), sort_keys=True)


@register.filter
def percent_width(rate: float) -> str:
    """Return the length of a rate's bar, without the language's decimal sign."""
    return f"{100 * rate:.2f}"


@register.filter(name="property")
def property_value(value: Any) -> str:
    """Show a property's value, shortened: a text as it is, anything else as JSON."""
    return shortened_text(as_text(value))


@register.filter
def words(reason: str) -> str:
    """Show the name of a reason: "value too large"."""
    return reason.replace("_", " ")
