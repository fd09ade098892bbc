"""A company with data."""

from datetime import timedelta

import pytest

from operational.kpis import readings
from tests.operational import kpi_data


@pytest.fixture
def company(db, time_machine):
    """A company with five counted KPIs and one person, at `NOW`; returns the person."""
    time_machine.move_to(kpi_data.NOW, tick=False)
    kpi_data.a_filled_project()
    return kpi_data.person(kpi_data.noon(kpi_data.AS_OF - timedelta(days=20)))


@pytest.fixture
def history(company):
    """Readings of the company's last ten days."""
    days = [kpi_data.AS_OF - timedelta(days=ago) for ago in reversed(range(10))]
    readings.record_readings(days=days, now=kpi_data.NOW)


@pytest.fixture(scope="session")
def base_url(live_server):
    return live_server.url
