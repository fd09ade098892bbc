"""Embedded PostgreSQL and Valkey for a first run, the tests and development. Knows no Django.

`ensure_services()` gives a process its DATABASE_URL and REDIS_URL; `python -m devstack up`
runs the whole of Plumbline; `python -m devstack run COMMAND` runs a command beside it.
"""

import os
from pathlib import Path


def ensure_services(*, data_dir: Path | None = None, durable: bool = True) -> None:
    """Set DATABASE_URL, REDIS_URL and SECRET_KEY in os.environ where they are unset.

    Joins the running servers of `data_dir` (default: PLUMBLINE_DATA_DIR, else `.local/`), or starts
    them for the life of this process; call it from the main thread. `durable=False` trades safety
    against a power cut for speed: tests only. Where both addresses are given it does nothing, so a
    deployment brings its own SECRET_KEY. Raises DevstackError, which ends the process with a
    message.
    """
    if is_given("DATABASE_URL") and is_given("REDIS_URL"):
        return
    # Imported late: a deployment brings its own servers and may run where there is no fcntl.
    from devstack.services import provide_services  # noqa: PLC0415

    provide_services(data_dir, durable=durable)


def is_given(name: str) -> bool:
    """Whether the deployment sets this variable, itself or through a file of secrets."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))
