"""Embedded PostgreSQL and Valkey for a first run, the tests and development; without Django.

`ensure_services()` gives a process its DATABASE_URL and REDIS_URL; `python -m devstack up`
runs the whole of Plumbline; `python -m devstack run COMMAND` runs a command with its servers.
"""

import os
from pathlib import Path


def ensure_services(*, data_dir: Path | None = None, durable: bool = True) -> None:
    """Set DATABASE_URL, REDIS_URL and SECRET_KEY in os.environ if they are unset.

    Joins the running servers of `data_dir` (default: PLUMBLINE_DATA_DIR, else `.local/`), or starts
    them for the lifetime of this process; call it from the main thread. `durable=False` trades
    safety in a power cut for speed: tests only. If both addresses are set it does nothing, so a
    deployment sets its own SECRET_KEY. Raises DevstackError, which ends the process with a message.
    """
    if is_set("DATABASE_URL") and is_set("REDIS_URL"):
        return
    # Imported late: a deployment has its own servers and may run on a system without fcntl.
    from devstack.services import provide_services  # noqa: PLC0415

    provide_services(data_dir, durable=durable)


def is_set(name: str) -> bool:
    """Return whether the deployment sets this variable, directly or through a secrets file."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))
