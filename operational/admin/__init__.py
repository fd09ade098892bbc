from . import deliveries, goals, job_runs, logins, readings, schedules, tokens, users

__all__ = [
    "deliveries",
    "goals",
    "job_runs",
    "logins",
    "readings",
    "schedules",
    "tokens",
    "users",
]
