"""Priority actions: the most recoverable points come first, and rows keep what was done."""

from datetime import date, timedelta
from typing import Any

import pytest
from django_celery_beat.models import PeriodicTask

from common.data_quality import CheckVerdict
from operational.actions import effects, priority_actions
from operational.actions.candidates import Candidate
from operational.calculations.kpi import Severity
from operational.models import Alert, KpiReading, PriorityAction, QualityResult, QualityRun
from tests.api import get
from tests.operational.kpi_data import AS_OF, NOW, a_filled_project
from tests.staff import member

DAY = timedelta(days=1)
PAGE = "/admin/operational/actions/"
OK = Severity.OK

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def ada():
    return member("Viewer")


@pytest.fixture
def todo(monkeypatch):
    """The candidates, which the test fills in."""
    candidates: list[Any] = []
    monkeypatch.setattr(priority_actions, "candidates", lambda *, now: candidates)
    return candidates


def d7(points=4.0, severity=OK, value=0.20):
    return Candidate("kpi", "d7_retention", "Bring people back", "", severity, points, 78, value)


def refresh(at=NOW):
    priority_actions.refresh(now=at)
    return priority_actions.active()


def test_every_kpi_below_target_is_a_candidate_with_its_people():
    a_filled_project()
    rows = {row.subject: row for row in refresh() if row.kind == "kpi"}
    assert set(rows) == {"d7_retention", "activation_rate", "signup_activation", "growth_mom"}
    row = rows["d7_retention"]
    assert row.detail == "D7 retention is 22.0 %, target 25.0 %"
    assert (row.people, row.kpi_before) == (78, 0.22)
    assert row.points_lost > 0


def test_a_firing_alert_raises_the_severity_of_its_kpi():
    a_filled_project()
    Alert.objects.create(kind="kpi", subject="d7_retention", status="critical", firing="critical")
    rows = {row.subject: row for row in refresh()}
    assert rows["d7_retention"].severity == "critical"


def test_a_failed_check_is_a_candidate_and_a_warning_or_ignored_one_is_not():
    run = QualityRun.objects.create(at=NOW, score=85)
    for slug, verdict, ignored in (
        ("orphans", CheckVerdict.FAIL, False),
        ("bots", CheckVerdict.WARNING, False),
        ("freshness", CheckVerdict.FAIL, True),
    ):
        QualityResult.objects.create(
            run=run, check_slug=slug, verdict=verdict, detail="x", ignored=ignored, seconds=0
        )
    quality = [row.title for row in refresh() if row.kind == "quality"]
    assert quality == ["Fix the data: orphaned records"]


def test_an_unhealthy_component_is_a_candidate(monkeypatch):
    monkeypatch.setattr("operational.health.servers.DISK_WARNING", 1.01)
    rows = {row.subject: row for row in refresh() if row.kind == "health"}
    assert rows["disk"].title == "Fix the disk"


def test_a_stopped_scheduler_is_named_in_plain_words():
    hours_ago = NOW - timedelta(hours=3)
    PeriodicTask.objects.update(last_run_at=hours_ago, date_changed=hours_ago)
    rows = {row.subject: row for row in refresh() if row.kind == "health"}
    assert rows["beat"].title == "Fix the scheduler (beat)"


def test_refreshing_again_keeps_one_row_and_its_owner(todo, ada):
    todo.append(d7())
    (row,) = refresh()
    priority_actions.take(row.pk, owner=ada, due=date(2026, 4, 9), notes="on it")
    todo[:] = [d7(points=6.0, value=0.18)]
    (row,) = refresh(NOW + DAY)
    assert (row.state, row.owner, row.points_lost) == ("taken", ada, 6.0)
    assert row.kpi_before == 0.20  # when it was taken


def test_an_action_without_a_candidate_is_settled(todo):
    todo.append(d7())
    refresh()
    todo.clear()
    assert refresh(NOW + DAY) == []
    assert PriorityAction.objects.get().state == "settled"


def test_a_dismissed_action_returns_only_once_it_is_materially_worse(todo, ada):
    todo.append(d7())
    (row,) = refresh()
    priority_actions.dismiss(row.pk, by=ada, reason="later", now=NOW)
    assert refresh(NOW + DAY) == []
    todo[:] = [d7(points=5.1)]
    (again,) = refresh(NOW + 2 * DAY)
    assert again.pk != row.pk


def test_a_done_action_is_measured_for_30_days_and_ranks_the_next_by_it(todo, ada):
    todo.append(d7(points=4.0))
    (row,) = refresh()
    priority_actions.take(row.pk, owner=ada, due=None, notes="")
    priority_actions.finish(row.pk, by=ada, now=NOW)
    KpiReading.objects.create(
        kpi="d7_retention", day=AS_OF + 20 * DAY, status="ok", value=0.21, formula_version=1,
        goal_version=1, recorded_at=NOW, first_recorded_at=NOW,
    )  # fmt: skip
    assert refresh(NOW + 20 * DAY) == []
    row.refresh_from_db()
    assert effects.effect(row) == pytest.approx(0.2)
    (again,) = refresh(NOW + 31 * DAY)
    assert again.recoverable == pytest.approx(0.8)
    assert priority_actions.last_done(again) == row


def test_a_closed_action_cannot_be_closed_again(todo, ada):
    todo.append(d7())
    (row,) = refresh()
    priority_actions.dismiss(row.pk, by=ada, reason="later", now=NOW)
    with pytest.raises(priority_actions.NotActive):
        priority_actions.finish(row.pk, by=ada, now=NOW)


def test_the_api_lists_the_top_priority_first():
    a_filled_project()
    actions = get("operational/priority-actions")["actions"]
    points = [action["recoverable"] for action in actions]
    assert points == sorted(points, reverse=True)
    assert {action["action_state"] for action in actions} == {"open"}


def test_staff_take_finish_and_dismiss_an_action(admin_client, todo, admin_user):
    todo.append(d7())
    (row,) = refresh()
    path = f"{PAGE}{row.pk}/"
    assert "Bring people back" in admin_client.get(PAGE).content.decode()
    assert "was not active" in admin_client.get(path).content.decode().replace("were", "was")
    admin_client.post(path, {"owner": admin_user.pk, "due": "2026-04-09", "notes": "on it"})
    row.refresh_from_db()
    assert (row.owner, row.due, row.state) == (admin_user, date(2026, 4, 9), "taken")
    page = admin_client.post(f"{path}dismiss/", {"reason": ""}, follow=True).content.decode()
    assert "Reason: This field is required." in page
    admin_client.post(f"{path}finish/")
    row.refresh_from_db()
    assert row.state == "done"
    page = admin_client.post(f"{path}dismiss/", {"reason": "x"}, follow=True).content.decode()
    assert "Nothing was saved: it is already closed (done)." in page


def test_staff_without_the_permission_change_no_action(client, todo, ada):
    todo.append(d7())
    (row,) = refresh()
    client.force_login(ada)
    assert client.get(f"{PAGE}{row.pk}/").status_code == 200
    for path in (f"{row.pk}/finish/", f"{row.pk}/dismiss/", f"{row.pk}/", "refresh/"):
        assert client.post(PAGE + path).status_code == 403


def broken(kind):
    return Candidate(kind, "disk", "Fix the disk", "2 % free.", Severity.CRITICAL)


@pytest.mark.parametrize("kind", ["health", "quality"])
def test_o14_an_action_for_what_is_still_broken_returns_at_the_next_check(todo, ada, kind):
    todo.append(broken(kind))
    (row,) = refresh()
    priority_actions.finish(row.pk, by=ada, now=NOW)
    (again,) = refresh(NOW + timedelta(hours=1))
    assert (again.subject, again.pk != row.pk) == ("disk", True)
    assert priority_actions.last_done(again) == row


def test_o14_an_action_for_what_was_repaired_returns_when_it_breaks_again(todo, ada):
    todo.append(broken("health"))
    (row,) = refresh()
    priority_actions.finish(row.pk, by=ada, now=NOW)
    todo.clear()
    assert refresh(NOW + DAY) == []
    todo.append(broken("health"))
    assert len(refresh(NOW + 2 * DAY)) == 1


def test_o04_an_action_finished_by_a_clock_that_was_ahead_is_not_hidden_until_then(todo, ada):
    todo.append(d7())
    (row,) = refresh()
    priority_actions.finish(row.pk, by=ada, now=NOW)
    PriorityAction.objects.update(closed_at=NOW + 300 * DAY)
    assert len(refresh(NOW + DAY)) == 1
