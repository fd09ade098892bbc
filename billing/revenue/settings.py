"""How revenue is reported: what staff set, and what the ledger was built with."""

from fractions import Fraction

from analytics.rollups import definitions
from billing.models import RevenueSettings
from common.read_once import read_once


@read_once
def current() -> RevenueSettings:
    """Return the settings; before anybody saved them, the defaults."""
    return RevenueSettings.objects.first() or RevenueSettings(pk=1)


def currency_in_force() -> str:
    """Return the currency of the ledger: it was built with it; at first it is the one set."""
    found = current()
    return found.built_currency or found.reporting_currency


def gross_margin() -> tuple[Fraction, bool]:
    """Return the margin, 0 to 1, and whether somebody set it; unset counts as 1."""
    percent = current().gross_margin_percent
    return (Fraction(1), False) if percent is None else (Fraction(percent) / 100, True)


def adopt() -> bool:
    """Put what is set in force, inside the rebuild; return whether the currency is another one."""
    found = current()
    is_new = found.built_currency not in {"", found.reporting_currency}
    found.built_currency = found.reporting_currency
    found.built_time_zone = definitions.in_force().time_zone
    found.save()
    return is_new


def adopt_at_first() -> None:
    """Put what is set in force where there is no ledger yet."""
    if not current().built_currency:
        adopt()


def rebuild_needed() -> str:
    """Return "" or a sentence that says what the ledger does not follow yet."""
    found = current()
    changed = []
    if found.built_currency not in {"", found.reporting_currency}:
        old, new = found.built_currency.upper(), found.reporting_currency.upper()
        changed.append(f"the reporting currency ({old} -> {new})")
    zone = definitions.in_force().time_zone
    if found.built_time_zone not in {"", zone}:
        changed.append(f"the time zone ({found.built_time_zone} -> {zone})")
    if not changed:
        return ""
    what = " and ".join(changed)
    return (
        f"Changed since the MRR ledger was built: {what}. It is rebuilt within the hour, or at once"
        " by manage.py rebuild_revenue."
    )
