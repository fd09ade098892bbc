"""Every counter of a page or an answer comes with one prepared statement."""

import pytest

from common.postgres import Prepared
from operational.models import ReportKind
from operational.reports import making
from tests.operational.kpi_data import NOW


@pytest.fixture
def statements(monkeypatch):
    """Collects the prepared statements that return rows, as they are executed."""
    executed = []
    rows = Prepared.rows

    def counted(statement, raw, texts):
        executed.append(statement)
        return rows(statement, raw, texts)

    monkeypatch.setattr(Prepared, "rows", counted)
    return executed


@pytest.mark.parametrize("path", ["/admin/operational/", "/api/operational/kpi-status"])
def test_a_page_and_an_answer_read_their_counters_with_one_statement(
    admin_client, company, statements, path
):
    assert admin_client.get(path).status_code == 200
    assert len(statements) == 1


def test_a_daily_report_reads_the_counters_of_its_kpis_with_one_statement(company, statements):
    making.make(ReportKind.DAILY, now=NOW)
    assert len(statements) == 1
