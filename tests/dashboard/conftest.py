"""A company to look at, and a browser to look with."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from operational import readings
from tests.operational import kpi_data

# Playwright's synchronous interface runs an event loop in the thread that uses the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

BROWSERS = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"
FLAGS = """
    --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync
""".split()


@pytest.fixture
def company(db, time_machine):
    """Five KPIs that count, of a company whose counters and one person are known, at `NOW`."""
    time_machine.move_to(kpi_data.NOW, tick=False)
    kpi_data.a_filled_project()
    return kpi_data.person(kpi_data.noon(kpi_data.AS_OF - timedelta(days=20)))


@pytest.fixture
def history(company):
    """The readings of the company's last ten days."""
    days = [kpi_data.AS_OF - timedelta(days=ago) for ago in reversed(range(10))]
    readings.record_readings(days=days, now=kpi_data.NOW)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args, browser_type):
    installed = next(filter(None, map(shutil.which, BROWSERS)), browser_type.executable_path)
    if not Path(installed).exists():
        pytest.skip(
            "No browser: install one with `apt-get install chromium`"
            " or `python -m playwright install chromium`"
        )
    return {**browser_type_launch_args, "executable_path": installed, "args": FLAGS}
