"""Texts about a limit: in the product, in a refused request and in an e-mail."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from billing.calculations.plan import PlanTerms
from billing.calculations.usage import MeterUsage, UsageState
from billing.limits.plans import zone
from billing.limits.usage_limits import UsageDecision
from common.formatting import long_day, number, percent, plain


@dataclass(frozen=True, slots=True)
class Facts:
    """A person's usage of a meter, and the upgrade. `limit` None: no limit."""

    meter: str
    limit: int | None
    used: int | float
    reserved: int | float  # granted; its events have not arrived yet
    resets_at: datetime | None  # None: never
    current_plan: str
    suggested_plan: str | None
    upgrade_url: str


@dataclass(frozen=True, slots=True)
class Prompt(Facts):
    """The same with texts, for a banner in the product."""

    state: UsageState
    percent: float
    title: str
    message: str


def facts(decision: UsageDecision) -> Facts:
    return Facts(**_facts(decision))


def prompt(decision: UsageDecision, meter_usage: MeterUsage | None = None) -> Prompt | None:
    """Return the banner from 80 % of a limit on, None below; `meter_usage`: after the request."""
    meter_usage = meter_usage or decision.meter_usage
    if meter_usage.percent is None or (meter_usage.state is UsageState.OK and decision.allowed):
        return None
    state = meter_usage.state if decision.allowed else UsageState.BLOCKED
    return Prompt(
        **_facts(decision, meter_usage),
        state=state,
        percent=round(meter_usage.percent, 1),
        title=_title(meter_usage, state),
        message=message(meter_usage, decision.suggested),
    )


def message(meter_usage: MeterUsage, suggested: PlanTerms | None) -> str:
    """Return sentences about the usage, the end of the period and the plan that gives more."""
    limit, usage, name = meter_usage.limit, meter_usage.usage, meter_usage.meter.name.lower()
    if limit is None:
        return f"{number(usage.used)} {name} used. Your plan has no limit on them."
    reserved = f", {number(usage.reserved)} reserved" if usage.reserved else ""
    sentences = [f"{number(usage.used)} of {number(limit.amount)} {name} used{reserved}."]
    if end := meter_usage.window.end:
        sentences.append(f"Resets on {long_day(end.astimezone(zone()))}.")
    if suggested:
        more = suggested.limits.get(meter_usage.meter.slug)
        has = f"includes {number(more.amount)}" if more else "has no limit on them"
        sentences.append(f"The {suggested.name} plan {has}.")
    return " ".join(sentences)


def _title(meter_usage: MeterUsage, state: UsageState) -> str:
    name = meter_usage.meter.name
    if state is UsageState.BLOCKED:
        return f"{name}: nothing left in your {meter_usage.plan.name} plan"
    if state is UsageState.REACHED:
        return f"{name}: limit of your {meter_usage.plan.name} plan reached"
    return f"{name}: {percent(meter_usage.rate, 0)} of your {meter_usage.plan.name} plan used"


def _facts(decision: UsageDecision, meter_usage: MeterUsage | None = None) -> dict[str, Any]:
    meter_usage = meter_usage or decision.meter_usage
    return asdict(
        Facts(
            meter=meter_usage.meter.slug,
            limit=meter_usage.limit.amount if meter_usage.limit else None,
            used=plain(meter_usage.usage.used),
            reserved=plain(meter_usage.usage.reserved),
            resets_at=meter_usage.window.end,
            current_plan=meter_usage.plan.slug,
            suggested_plan=decision.suggested.slug if decision.suggested else None,
            upgrade_url=decision.upgrade_url,
        )
    )
