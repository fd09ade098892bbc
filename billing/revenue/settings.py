"""How revenue is reported: current settings, and those the ledger was built with."""

from fractions import Fraction

from analytics.rollups import definitions
from billing.calculations.mrr import FORMULA_VERSION
from billing.models import RevenueSettings
from common.postgres import Compiled
from common.read_once import read_once

_FIELDS = [field.attname for field in RevenueSettings._meta.concrete_fields]
_ROW = Compiled(lambda: RevenueSettings.objects.order_by("pk").values_list(*_FIELDS)[:1])


@read_once
def current() -> RevenueSettings:
    """Return the settings; the defaults before they are saved for the first time."""
    rows = _ROW.rows()
    return RevenueSettings.from_db("default", _FIELDS, rows[0]) if rows else RevenueSettings(pk=1)


def currency_in_force() -> str:
    """Return the currency the ledger was built with; before that, the current setting."""
    settings = current()
    return settings.built_currency or settings.reporting_currency


def gross_margin() -> tuple[Fraction, bool]:
    """Return the margin, 0 to 1, and whether it is set; unset counts as 1."""
    percent = current().gross_margin_percent
    return (Fraction(1), False) if percent is None else (Fraction(percent) / 100, True)


def adopt() -> bool:
    """Apply the current settings, inside the rebuild; return whether the currency changed."""
    settings = current()
    is_new = settings.built_currency not in {"", settings.reporting_currency}
    settings.built_currency = settings.reporting_currency
    settings.built_formula = FORMULA_VERSION
    settings.built_time_zone = definitions.in_force().time_zone
    settings.save()
    return is_new


def adopt_at_first() -> None:
    """Apply the current settings if there is no ledger yet."""
    if not current().built_currency:
        adopt()


def rebuild_needed() -> str:
    """Return "", or a sentence about the settings that the ledger does not follow yet."""
    settings = current()
    changed = []
    if settings.built_currency not in {"", settings.reporting_currency}:
        old, new = settings.built_currency.upper(), settings.reporting_currency.upper()
        changed.append(f"the reporting currency ({old} -> {new})")
    zone = definitions.in_force().time_zone
    if settings.built_time_zone not in {"", zone}:
        changed.append(f"the time zone ({settings.built_time_zone} -> {zone})")
    if settings.built_currency and settings.built_formula != FORMULA_VERSION:
        changed.append("the formula of MRR")
    if not changed:
        return ""
    changes = " and ".join(changed)
    return (
        f"Changed since the MRR ledger was built: {changes}. It is rebuilt within an hour. To"
        " rebuild it now, run manage.py rebuild_revenue."
    )
