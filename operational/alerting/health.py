"""Health check of the alerts: whether each could be checked."""

from collections.abc import Iterator
from datetime import datetime

from common.calculations.health import Component, Health
from operational.models import Alert


def alerts(_now: datetime) -> Iterator[Component]:
    broken = Alert.objects.exclude(problem="").order_by("kind", "subject")
    problems = [f"{alert} ({alert.problem})" for alert in broken]
    if not problems:
        yield Component("alerts", Health.OK, "All alerts could be checked.")
        return
    yield Component(
        "alerts",
        Health.WARNING,
        f"Could not be checked: {'; '.join(problems)}.",
        remedy="The log has the traceback. These alerts keep their state until they are checked.",
        page="operational:alerts",
    )
