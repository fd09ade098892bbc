"""How values are written for people."""

from operational.calculations.kpi import Unit

UNKNOWN = "-"


def shown(value: float | None, unit: Unit) -> str:
    """Return a value with its unit, such as "22.1 %", "3.2" or "5.4 h"."""
    if value is None:
        return UNKNOWN
    if unit in {Unit.RATE, Unit.CHANGE}:
        return f"{100 * value:.1f} %"
    if unit is Unit.COUNT:
        return f"{value:,.0f}"
    return f"{value:.1f} h" if unit is Unit.HOURS else f"{value:.2f}"


def shown_points(points: float | None) -> str:
    """Return a score or points of it, such as "73.0"."""
    return UNKNOWN if points is None else f"{points:.1f}"
