"""Data quality: findings are kept, scored, displayed, ignored for a time, and repaired."""

from datetime import date, timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from analytics.ingestion import ingest, partitions
from analytics.models import Person
from common import data_quality as registry
from common.data_quality import Check, CheckVerdict, Example, Finding, RepairableCheck
from operational.calculations.data_quality import band, score
from operational.models import QualityIgnore, QualityRun
from operational.quality import data_quality
from tests.api import get
from tests.events import record
from tests.operational.kpi_data import NOW
from tests.staff import member

PAGE = "/admin/operational/data-quality/"
PASS, WARNING, FAIL, NO_DATA = CheckVerdict


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([PASS, PASS], 100),
        ([PASS, WARNING], 96),
        ([WARNING, FAIL], 81),
        ([FAIL] * 2, 70),
        ([FAIL] * 9, 0),
        ([NO_DATA, PASS], 100),
        ([NO_DATA], None),
        ([], None),
    ],
)
def test_a_warning_costs_4_points_and_a_failure_15(verdicts, expected):
    assert score(verdicts) == expected


@given(st.lists(st.sampled_from(CheckVerdict)), st.integers(0, 3))
def test_the_score_is_100_only_without_any_finding(verdicts, ignored):
    points = score(verdicts, ignored=ignored)
    has_finding = ignored or WARNING in verdicts or FAIL in verdicts
    if points is None:
        assert not has_finding
    else:
        assert 0 <= points <= (99 if has_finding else 100)


def test_the_bands_are_those_of_the_score():
    assert [band(points) for points in (100, 99, 80, 79, None)] == [
        *("all pass", "minor warnings", "minor warnings", "issues", "no data"),
    ]


class Rows(RepairableCheck):
    """Finds as many rows as are set."""

    slug, name, family, remedy = "rows", "Rows", "Orphaned records", "Remove them."
    repair_label = "Remove the rows"
    affected = 3

    def run(self, *, now):
        if not self.affected:
            return registry.PASSED
        example = Example("row 1", "operational:dashboard")
        return Finding(FAIL, self.affected, f"{self.affected} rows.", [example])

    def preview(self, *, now):
        return [Example(f"row {number}") for number in range(self.affected)]

    def repair(self, *, now, by):
        changed, self.affected = self.affected, 0
        return changed


class Broken(Check):
    slug, name, family, remedy = "broken", "Broken", "Anomalies", "Repair it."

    def run(self, *, now):
        raise ValueError("no")


@pytest.fixture
def rows(monkeypatch, time_machine):
    time_machine.move_to(NOW, tick=False)
    check = Rows()
    monkeypatch.setattr(registry, "registry", [[check]])
    return check


@pytest.mark.django_db
def test_an_empty_installation_has_no_score(time_machine):
    time_machine.move_to(NOW, tick=False)
    assert data_quality.run(now=NOW).score is None
    answer = get("operational/data-quality")
    assert (answer["score"], answer["band"]) == (None, "no data")


@pytest.mark.django_db
def test_findings_are_kept_and_reported(rows):
    data_quality.run(now=NOW)
    answer = get("operational/data-quality")
    assert (answer["score"], answer["band"]) == (85, "minor warnings")
    (result,) = answer["results"]
    assert (result["check"], result["verdict"], result["affected"]) == ("rows", "fail", 3)
    assert result["examples"] == [{"text": "row 1", "url": "/admin/operational/"}]
    assert result["remedy"] == "Remove them."


@pytest.mark.django_db
def test_a_check_that_breaks_is_a_failure_and_the_others_run(rows, monkeypatch):
    monkeypatch.setattr(registry, "registry", [[Broken(), rows]])
    data_quality.run(now=NOW)
    results = {result.check.slug: result for result in data_quality.latest().results}
    assert results["broken"].detail == "The check itself broke: ValueError."
    assert results["rows"].affected == 3


@pytest.mark.django_db
def test_an_ignored_finding_costs_no_points_but_the_score_is_not_100(rows):
    QualityIgnore.objects.create(check_slug="rows", reason="usual", until=date(2026, 4, 1), most=3)
    assert data_quality.run(now=NOW).score == 99
    assert data_quality.latest().results[0].ignored.reason == "usual"


@pytest.mark.django_db
@pytest.mark.parametrize(("until", "most"), [(date(2026, 3, 31), None), (date(2026, 4, 2), 2)])
def test_an_ignore_rule_ends_with_its_day_or_when_more_is_affected(rows, until, most):
    QualityIgnore.objects.create(check_slug="rows", reason="expected", until=until, most=most)
    assert data_quality.run(now=NOW).score == 85


@pytest.mark.django_db
def test_old_runs_are_deleted(rows):
    data_quality.run(now=NOW)
    data_quality.delete_old(NOW + timedelta(days=401))
    assert not QualityRun.objects.exists()


@pytest.mark.django_db
def test_a_remedy_is_previewed_and_applied_and_the_score_moves(rows, admin_client):
    admin_client.post(f"{PAGE}run/")
    html = admin_client.get(PAGE).content.decode()
    assert "Remove the rows …" in html
    preview = admin_client.get(f"{PAGE}repair/rows/").content.decode()
    assert "row 2" in preview
    assert rows.affected == 3
    html = admin_client.post(f"{PAGE}repair/rows/", follow=True).content.decode()
    assert "Remove the rows: 3 changed. All checks ran again." in html
    assert [run.score for run in data_quality.score_history()] == [85, 100]


@pytest.mark.django_db
def test_a_check_that_cannot_be_repaired_has_no_page(admin_client):
    assert admin_client.get(f"{PAGE}repair/freshness/").status_code == 404


@pytest.mark.django_db
def test_staff_without_the_permission_cannot_run_checks(client, rows):
    client.force_login(member("Viewer"))
    assert client.get(PAGE).status_code == 200
    assert client.post(f"{PAGE}run/").status_code == 403
    assert client.post(f"{PAGE}repair/rows/").status_code == 403
    assert rows.affected == 3


@pytest.mark.django_db
def test_an_ignore_rule_is_created_in_the_admin(rows, admin_client):
    path = "/admin/operational/qualityignore/add/"
    fields = {"check_slug": "rows", "reason": "expected", "until": "2026-05-01", "most": ""}
    admin_client.post(path, fields)
    ignore = QualityIgnore.objects.get()
    assert (ignore.check_slug, ignore.created_by.username) == ("rows", "admin")


@pytest.mark.django_db
def test_the_score_moves_as_bad_data_appears_and_is_repaired(time_machine, admin_client):
    time_machine.move_to(NOW, tick=False)
    at = NOW - timedelta(hours=20)
    partitions.make_ahead(at)
    ingest.store(
        [
            record("signed_up", name, at, properties={"$set": {"email": f"{name}@example.com"}})
            for name in ("ada", "bob")
        ]
    )
    assert data_quality.run(now=NOW).score == 100
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO analytics_distinctid (distinct_id, person_id) VALUES ('ghost', 999)"
        )
    assert data_quality.run(now=NOW).score == 85
    Person.objects.update(properties={"email": "both@example.com"})
    assert data_quality.run(now=NOW).score == 81
    admin_client.post(f"{PAGE}repair/orphans/")
    assert [run.score for run in data_quality.score_history()] == [100, 85, 81, 96]
