"""Report schedules in a test, and sending what they make due."""

import pytest

from operational.messages import sending
from operational.reports import reports
from tests.clocks import stopped
from tests.operational.kpi_data import NOW
from tests.operational.reports import schedules


@pytest.fixture
def installed(time_machine):
    """Plumbline with its schedules, installed 90 days before."""
    time_machine.move_to(NOW, tick=False)
    schedules.begin()


@pytest.fixture
def sends(time_machine, mail_server):
    """Send what is due at a moment; return the subjects that arrived so far."""

    def at(moment):
        time_machine.move_to(moment, tick=False)
        reports.send_due(now=moment)
        sending.send_due(clock=stopped(moment))
        return mail_server.subjects

    return at
