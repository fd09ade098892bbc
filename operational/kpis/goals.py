"""The goals in force: target, weight and thresholds of every KPI, and their versions."""

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from common.formatting import Unit
from common.postgres import Compiled
from operational.calculations.catalogue import CATALOGUE, Kpi
from operational.calculations.kpi import Better, Goal
from operational.models import KpiGoal

_FIELDS = "kpi", "version", "target", "weight", "warning", "critical", "basis"

_NEWEST = Compiled(
    lambda: KpiGoal.objects.order_by("kpi", "-version").distinct("kpi").values_list(*_FIELDS)
)


def in_force() -> dict[str, Goal]:
    """Return the newest version of every KPI's goal by slug, in the catalogue's order."""
    newest = {slug: Goal(slug, *others) for slug, *others in _NEWEST.rows()}
    return {slug: newest.get(slug, kpi.default_goal) for slug, kpi in CATALOGUE.items()}


def every_version() -> dict[tuple[str, int], Goal]:
    """Return every goal, past and current, by KPI and version."""
    goals = [kpi.default_goal for kpi in CATALOGUE.values()]
    goals += [Goal(**row) for row in KpiGoal.objects.values(*_FIELDS)]
    return {(goal.kpi, goal.version): goal for goal in goals}


def history(kpi: str) -> list[KpiGoal]:
    """Return every version of a KPI's goal with its author, the newest first."""
    return list(KpiGoal.objects.filter(kpi=kpi).select_related("created_by").order_by("-version"))


def create_defaults(*, apps: Apps = installed_apps, **_: Any) -> None:
    """Give each KPI without a goal its default; goals set by staff are never changed."""
    try:
        rows = apps.get_model("operational", "KpiGoal").objects
    except LookupError:  # migrated back to before goals existed
        return
    defaults = [rows.model(**asdict(kpi.default_goal)) for kpi in CATALOGUE.values()]
    rows.bulk_create(defaults, ignore_conflicts=True)


@transaction.atomic
def set_goal(
    *,
    kpi: str,
    target: float,
    weight: int,
    warning: float | None = None,
    critical: float | None = None,
    basis: str = "",
    note: str = "",
    created_by: User | None = None,
) -> Goal:
    """Put a new version of a KPI's goal in force, or keep the current one if nothing changed.

    Raises a ValidationError that names the field.
    """
    # Only one change at a time: versions are consecutive, and weights are validated together.
    list(KpiGoal.objects.select_for_update().order_by("pk").values_list("pk"))
    current = in_force()
    goal = replace(
        current[kpi],
        target=target,
        weight=weight,
        warning=warning,
        critical=critical,
        basis=basis,
    )
    if goal == current[kpi]:
        return goal
    validate(goal, others={slug: other for slug, other in current.items() if slug != kpi})
    goal = replace(goal, version=goal.version + 1)
    KpiGoal.objects.create(**asdict(goal), note=note, created_by=created_by)
    return goal


def validate(goal: Goal, *, others: Mapping[str, Goal]) -> None:
    """Raise a ValidationError, by field, if a goal makes no sense with the `others`."""
    kpi = CATALOGUE[goal.kpi]
    errors = {
        "target": _target_error(goal, kpi),
        "weight": _weight_error(goal, others),
        "warning": _threshold_error(goal.warning, kpi, than=goal.target, name="the target"),
        "critical": _critical_error(goal, kpi),
        "basis": _basis_error(goal, kpi),
    }
    if any(errors.values()):
        raise ValidationError({field: error for field, error in errors.items() if error})


def _target_error(goal: Goal, kpi: Kpi) -> str:
    if not (math.isfinite(goal.target) and goal.target > 0):
        return "The target must be above 0."
    if kpi.unit is Unit.RATE and goal.target > 1:
        return "More than 100 % (a share of 1) cannot be reached."
    return ""


def _weight_error(goal: Goal, others: Mapping[str, Goal]) -> str:
    if goal.weight < 0:
        return "The weight must be 0 or more."
    if not goal.weight and not any(other.weight for other in others.values()):
        return "At least one weight must be above 0."
    return ""


def _critical_error(goal: Goal, kpi: Kpi) -> str:
    if goal.warning is None:
        return _threshold_error(goal.critical, kpi, than=goal.target, name="the target")
    return _threshold_error(goal.critical, kpi, than=goal.warning, name="the warning threshold")


def _threshold_error(threshold: float | None, kpi: Kpi, *, than: float, name: str) -> str:
    if threshold is None:
        return ""
    if not math.isfinite(threshold):
        return "The threshold must be a number."
    if kpi.better is Better.HIGHER and not threshold < than:
        return f"The threshold must be below {name}: higher is better."
    if kpi.better is Better.LOWER and not threshold > than:
        return f"The threshold must be above {name}: lower is better."
    return ""


def _basis_error(goal: Goal, kpi: Kpi) -> str:
    if not kpi.bases:
        return f"{kpi.name} has no choice of basis." if goal.basis else ""
    return "" if goal.basis in kpi.bases else f"Choose one of {', '.join(kpi.bases)}."
