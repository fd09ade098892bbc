"""Each kind of dirty data is found with the right count, and repaired where possible."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from analytics.ingestion import ingest, partitions
from analytics.models import (
    CaptureHour,
    Counter,
    DistinctId,
    EventDay,
    Exclusion,
    Person,
    PersonDay,
    ProjectKey,
    RejectedEvent,
)
from analytics.people import exclusions
from analytics.rollups import rebuild
from common.data_quality import RepairableCheck, checks
from tests.events import record

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
YESTERDAY = datetime(2026, 3, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def now(time_machine):
    time_machine.move_to(NOW, tick=False)
    for months in range(4):
        partitions.make_ahead(NOW - months * 30 * DAY)


def run(slug):
    return checks()[slug].run(now=timezone.now())


def repairable(slug):
    check = checks()[slug]
    assert isinstance(check, RepairableCheck)
    return check


def store(*records):
    ingest.store(list(records))


def signed_up(distinct_id, at=YESTERDAY, **properties):
    return record(
        "signed_up", distinct_id, at, properties={"$set": properties} if properties else {}
    )


@pytest.mark.parametrize("slug", list(checks()))
def test_p34_an_empty_installation_has_no_data(slug):
    assert run(slug).verdict == "no_data"


@pytest.mark.parametrize("slug", ["orphans", "duplicate_persons", "missing_signup", "rollups"])
def test_clean_data_pass(slug):
    store(signed_up("ada", email="ada@example.com"), signed_up("bob", email="bob@example.com"))
    assert run(slug).verdict == "pass"


def test_orphans_are_counted_listed_and_removed():
    store(signed_up("ada"), record("used", "ada", YESTERDAY))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO analytics_distinctid (distinct_id, person_id) VALUES ('ghost', 999)"
        )
        cursor.execute(
            "INSERT INTO analytics_personday (person_id, day)"
            " VALUES (999, '2026-03-30'), (999, '2026-03-31')"
        )
    finding = run("orphans")
    assert (finding.verdict, finding.affected) == ("fail", 3)
    assert finding.detail == "1 distinct id, 2 person days without a person."
    assert "distinct id of person 999" in [row.text for row in finding.examples]
    assert repairable("orphans").repair(now=NOW, by="eve") == 3
    assert run("orphans").verdict == "pass"
    assert DistinctId.objects.filter(distinct_id="ada").exists()
    assert PersonDay.objects.exists()


def test_persons_with_the_same_e_mail_in_any_case_are_found():
    store(
        signed_up("ada", email="Ada@example.com"),
        signed_up("ada-2", email="ada@EXAMPLE.com"),
        signed_up("bob", email="bob@example.com"),
    )
    finding = run("duplicate_persons")
    assert (finding.verdict, finding.affected) == ("warning", 2)
    first, second = Person.objects.filter(properties__email__iexact="ada@example.com").order_by(
        "pk"
    )
    (example,) = finding.examples
    assert example.text == f"2 persons with the same e-mail: {first.pk}, {second.pk}"
    assert example.argument == first.pk
    assert finding.detail == "2 persons share 1 e-mail address."
    exclusions.decide([second.pk], excluded=True)
    assert run("duplicate_persons").verdict == "pass"


def test_identified_persons_without_an_e_mail_are_counted():
    store(signed_up("ada", email="ada@example.com"), signed_up("bob"))
    Person.objects.update(is_identified=True)
    finding = run("missing_email")
    assert (finding.verdict, finding.affected) == ("warning", 1)
    assert finding.detail == (
        "1 identified person first seen in the last 90 days without an e-mail address."
    )


def test_active_persons_without_a_signup_are_counted():
    store(signed_up("ada"), record("used", "bob", YESTERDAY), record("used", "eve", YESTERDAY))
    finding = run("missing_signup")
    assert (finding.verdict, finding.affected, len(finding.examples)) == ("warning", 2, 2)


def history(days, *, event="used", a_day=100, skip=()):
    EventDay.objects.bulk_create(
        EventDay(event=event, day=(YESTERDAY - number * DAY).date(), value=a_day)
        for number in range(days)
        if number not in skip
    )


def test_a_day_without_events_after_busy_days_is_a_failure():
    history(30, skip=[0])
    finding = run("freshness")
    assert (finding.verdict, finding.detail) == (
        "fail",
        "No events on 2026-03-31; the last events are from 2026-03-30.",
    )


def test_a_quiet_day_is_usual_for_a_product_used_once_a_week():
    EventDay.objects.bulk_create(
        EventDay(event="used", day=(YESTERDAY - week * 7 * DAY - DAY).date(), value=100)
        for week in range(6)
    )
    assert run("freshness").verdict == "pass"


def test_old_data_is_stale():
    EventDay.objects.create(event="used", day=(YESTERDAY - 40 * DAY).date(), value=5)
    assert run("freshness").detail == "The last events are from 2026-02-19."


def test_three_silent_hours_that_were_busy_yesterday_are_a_warning(time_machine):
    history(30)
    time_machine.move_to(NOW - DAY, tick=False)
    store(*(record("used", "ada", NOW - DAY - timedelta(minutes=n)) for n in range(60)))
    time_machine.move_to(NOW, tick=False)
    finding = run("freshness")
    assert (finding.verdict, finding.affected) == ("warning", 1)


def test_p33_a_day_with_far_more_events_than_its_weekday_is_unusual():
    history(64)
    EventDay.objects.filter(day=YESTERDAY.date()).update(value=900)
    finding = run("unusual_volume")
    assert (finding.verdict, finding.affected) == ("warning", 1)
    assert finding.examples[0].text == "used: 900 on 2026-03-31, usually 100 on that weekday"


def test_a_weekend_is_compared_with_weekends():
    history(64)
    for week in range(9):
        EventDay.objects.filter(day=(YESTERDAY - week * 7 * DAY).date()).update(value=900)
    assert run("unusual_volume").verdict == "pass"


def test_an_event_that_vanished_is_unusual():
    history(64, skip=[0])
    history(64, event="other")
    assert run("unusual_volume").examples[0].text.startswith("used: 0 on 2026-03-31")


def test_a_different_mix_of_events_is_found_with_the_events_that_moved():
    history(35, event="used", a_day=100)
    history(35, event="viewed", a_day=100)
    assert run("event_mix").verdict == "pass"
    EventDay.objects.filter(event="viewed", day__gt=(YESTERDAY - 7 * DAY).date()).update(value=2)
    history(7, event="seen", a_day=98)
    finding = run("event_mix")
    assert (finding.verdict, finding.affected) == ("warning", 2)
    assert {row.text.split(":")[0] for row in finding.examples[:2]} == {"viewed", "seen"}


def test_a_person_with_the_rhythm_of_a_bot_is_found_and_excluded():
    chance = random.Random(7)
    start = datetime(2026, 3, 31, 1, tzinfo=UTC)
    store(
        *(record("used", "bot", start + n * timedelta(seconds=60)) for n in range(300)),
        *(
            record("used", "ada", start + timedelta(seconds=chance.uniform(0, 18_000)))
            for _ in range(300)
        ),
    )
    bot = DistinctId.objects.get(distinct_id="bot").person_id
    finding = run("bots")
    assert (finding.verdict, finding.affected) == ("warning", 1)
    assert finding.examples[0].text == f"person {bot}: 300 events"
    check = repairable("bots")
    assert [row.argument for row in check.preview(now=NOW)] == [bot]
    assert check.repair(now=NOW, by="eve") == 1
    assert Exclusion.objects.get().by == "eve"
    assert Person.objects.get(pk=bot).excluded
    assert run("bots").verdict == "pass"
    assert rebuild.check() == []


def test_rejected_events_are_counted_and_more_than_one_percent_is_a_failure():
    key = ProjectKey.objects.create(name="web")
    hour = NOW.replace(minute=0)
    CaptureHour.objects.create(hour=hour, project_key_id=key.pk, outcome="accepted", events=1_000)
    assert run("rejected_events").verdict == "pass"
    for number in range(11):
        RejectedEvent.objects.create(reason="no_event", payload=b"{}", rejected_at=NOW)
        if number == 8:
            assert run("rejected_events").verdict == "warning"
    finding = run("rejected_events")
    assert (finding.verdict, finding.affected) == ("fail", 11)
    assert finding.examples[0].text == "11: no_event"


def test_events_that_are_not_accounted_for_are_a_failure():
    key = ProjectKey.objects.create(name="web")
    hour = YESTERDAY.replace(minute=0)
    CaptureHour.objects.create(hour=hour, project_key_id=key.pk, outcome="accepted", events=10)
    CaptureHour.objects.create(hour=hour, project_key_id=key.pk, outcome="stored", events=7)
    finding = run("ingestion_ledger")
    assert (finding.verdict, finding.affected) == ("fail", 3)


@pytest.mark.parametrize(
    "dirt",
    [
        lambda: EventDay.objects.filter(event="used").update(value=7),
        lambda: Counter.objects.filter(name="signup").update(value=7),
        lambda: Person.objects.update(activated_at=NOW),
        lambda: PersonDay.objects.all().delete(),
    ],
    ids=["events by day", "counters", "moments", "days"],
)
def test_a_rollup_that_differs_from_the_events_is_a_failure_until_it_is_rebuilt(dirt):
    store(signed_up("ada"), record("used", "ada", YESTERDAY))
    dirt()
    finding = run("rollups")
    assert (finding.verdict, finding.affected) == ("fail", 1)
    rebuild.rebuild()
    assert run("rollups").verdict == "pass"


def test_a_check_changes_nothing():
    store(signed_up("ada"), record("used", "ada", YESTERDAY))
    Person.objects.update(activated_at=NOW)
    run("rollups")
    assert Person.objects.get().activated_at == NOW


@pytest.fixture
def reconciled(settings, web_hook):
    settings.PLUMBLINE_FORWARDING = True
    settings.POSTHOG_HOST = f"http://{web_hook.address}"
    settings.POSTHOG_PERSONAL_API_KEY, settings.POSTHOG_PROJECT_ID = "phx_1", "1"
    store(*(record("used", "ada", YESTERDAY) for _ in range(100)))
    return web_hook


def test_events_missing_in_posthog_are_counted(reconciled):
    reconciled.answer = {"results": [["used", 90]]}
    finding = run("posthog")
    assert (finding.verdict, finding.affected) == ("warning", 10)
    assert finding.examples[0].text == "used: 100 here, 90 there"
    reconciled.answer = {"results": [["used", 100], ["theirs alone", 5]]}
    assert run("posthog").verdict == "pass"
    assert "2026-03-31 00:00:00" in reconciled.posted[0]["query"]["query"]


def test_a_posthog_that_does_not_respond_is_a_warning(reconciled):
    reconciled.status = 503
    assert run("posthog").detail == "PostHog is not responding: status 503."


def test_events_that_are_not_forwarded_are_not_missing(reconciled, settings):
    settings.PLUMBLINE_FORWARD_EVENTS_EXCEPT = frozenset({"used"})
    reconciled.answer = {"results": []}
    assert run("posthog").verdict == "no_data"
