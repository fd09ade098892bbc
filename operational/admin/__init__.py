from operational.admin import (
    data_quality,
    deliveries,
    goals,
    job_runs,
    logins,
    names,
    readings,
    reports,
    schedules,
    tokens,
    users,
)

__all__ = [
    "data_quality",
    "deliveries",
    "goals",
    "job_runs",
    "logins",
    "names",
    "readings",
    "reports",
    "schedules",
    "tokens",
    "users",
]
