"""What a person is told about a limit: in the product, in a refusal, and in an e-mail."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from billing.calculations.plan import PlanTerms
from billing.calculations.usage import Standing, State
from billing.limits.plans import zone
from billing.limits.usage_limits import Answer
from common.formatting import number, plain


@dataclass(frozen=True, slots=True)
class Facts:
    """Where a person stands with a meter, and the way out. `limit` None is no limit."""

    meter: str
    limit: int | None
    used: int | float
    resets_at: datetime | None  # None: never
    current_plan: str
    suggested_plan: str | None
    upgrade_url: str


@dataclass(frozen=True, slots=True)
class Prompt(Facts):
    """The same with words, for a banner in the product."""

    state: State
    percent: float
    title: str
    message: str


def facts(answer: Answer) -> Facts:
    return Facts(**_facts(answer))


def prompt(answer: Answer, standing: Standing | None = None) -> Prompt | None:
    """Return what to show from 80 % of a limit on, None below; `standing` is the one afterwards."""
    standing = standing or answer.standing
    if standing.percent is None or (standing.state is State.OK and answer.allowed):
        return None
    state = standing.state if answer.allowed else State.BLOCKED
    return Prompt(
        **_facts(answer, standing),
        state=state,
        percent=round(standing.percent, 1),
        title=_title(standing, state),
        message=message(standing, answer.suggested),
    )


def message(standing: Standing, suggested: PlanTerms | None) -> str:
    """Return sentences on the usage, the end of the period and the plan that gives more."""
    limit, name = standing.limit, standing.meter.name.lower()
    if limit is None:
        return f"{number(standing.usage.used)} {name} used; your plan has no limit of them."
    sentences = [f"{number(standing.usage.used)} of {number(limit.amount)} {name} used."]
    if end := standing.window.end:
        local = end.astimezone(zone())
        sentences.append(f"The count begins anew on {local.day} {local:%B %Y}.")
    if suggested:
        more = suggested.limits.get(standing.meter.slug)
        has = f"has {number(more.amount)}" if more else "has no limit of them"
        sentences.append(f"The plan {suggested.name} {has}.")
    return " ".join(sentences)


def _title(standing: Standing, state: State) -> str:
    name = standing.meter.name
    if state is State.BLOCKED:
        return f"{name}: nothing is left in your plan {standing.plan.name}"
    if state is State.REACHED:
        return f"{name}: the limit of your plan {standing.plan.name} is reached"
    return f"{name}: {standing.percent:.0f} % of your plan {standing.plan.name} is used"


def _facts(answer: Answer, standing: Standing | None = None) -> dict[str, Any]:
    standing = standing or answer.standing
    return asdict(
        Facts(
            meter=standing.meter.slug,
            limit=standing.limit.amount if standing.limit else None,
            used=plain(standing.usage.used),
            resets_at=standing.window.end,
            current_plan=standing.plan.slug,
            suggested_plan=answer.suggested.slug if answer.suggested else None,
            upgrade_url=answer.upgrade_url,
        )
    )
