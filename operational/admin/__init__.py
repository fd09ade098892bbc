from . import goals, logins, readings, schedules, tokens, users

__all__ = ["goals", "logins", "readings", "schedules", "tokens", "users"]
