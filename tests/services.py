"""pytest plugin: the tests' PostgreSQL and Valkey, before Django's settings are read.

DATABASE_URL and REDIS_URL are used if set. Otherwise the embedded servers of `.local/test`
(PLUMBLINE_TEST_DATA_DIR) are joined or started; xdist's workers inherit them. Two runs in one
checkout share these servers and so clash over the name of the test database: set a different
PLUMBLINE_TEST_DATA_DIR for one of them.
"""

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from devstack.services import ensure_services

ROOT = Path(__file__).resolve().parent.parent


# A wrapper runs before every plain hook, so before pytest-django's, which reads the settings.
@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    # SIGTERM ends the run like Ctrl-C; SystemExit, which the servers raise, fails only one test.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    data_dir = os.environ.get("PLUMBLINE_TEST_DATA_DIR") or ROOT / ".local" / "test"
    ensure_services(data_dir=Path(data_dir), durable=False)
    os.environ.setdefault(
        "SECRET_KEY", "tests have nothing to hide, not even behind their own servers"
    )
    yield
