from . import goals, job_runs, logins, readings, schedules, tokens, users

__all__ = ["goals", "job_runs", "logins", "readings", "schedules", "tokens", "users"]
