"""The variables that a deployment sets itself. Unlike `services`, it needs no Unix system."""

import os


def has_servers() -> bool:
    """Return whether the deployment has a PostgreSQL and a Valkey of its own."""
    return is_set("DATABASE_URL") and is_set("REDIS_URL")


def is_set(name: str) -> bool:
    """Return whether the deployment sets this variable, directly or through a secrets file."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))
