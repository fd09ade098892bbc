"""What providers report: recorded once, in any order, with what follows from it."""

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.models import Event, PersonDay
from growth.calculations.mail.mail_events import MailEventKind as Kind
from growth.models import MailEvent, Suppression
from growth.suppression import suppressions
from tests.growth.suppression.mails import ADA, LATER, NOON, active, record, report
from tests.growth.suppression.people import proved_user

pytestmark = pytest.mark.django_db
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def lift(reason, *, now):
    rows = Suppression.objects.filter(reason=reason)
    suppressions.lift(rows, by="ada", reason="the mailbox works again", now=now)


def test_p44_a_complaint_stops_every_mail_and_not_only_a_soft_bounce():
    record(report(Kind.COMPLAINED))
    assert active() == [(ADA, None, "complaint")]
    assert suppressions.undeliverable_among([ADA]) == {ADA}


def test_p45_a_bounce_keeps_the_address_and_what_the_server_said():
    record(report(response="550 5.1.1 no such user"))
    assert MailEvent.objects.get().response == "550 5.1.1 no such user"
    row = Suppression.objects.get()
    assert (row.address, row.detail, row.at) == (ADA, "550 5.1.1 no such user", NOON)
    assert row.source == "Postmark"


def test_p46_a_second_bounce_of_an_address_is_recorded_too():
    record(report(message="m1"), report(message="m2", at=NOON + DAY))
    assert MailEvent.objects.count() == 2
    assert active() == [(ADA, None, "hard_bounce")]


def test_p46_a_bounce_after_lifting_suppresses_again_and_an_old_one_does_not():
    record(report(message="m1"))
    lift("hard_bounce", now=NOON + DAY)
    assert record(report(message="m0", at=NOON - DAY)) == [True]
    assert active() == []
    record(report(message="m2", at=NOON + 2 * DAY))
    assert active() == [(ADA, None, "hard_bounce")]


@pytest.mark.parametrize("kind", list(Kind))
def test_p60_a_repeated_webhook_with_another_event_id_counts_once(kind):
    first, second = report(kind, event_id="e1"), report(kind, event_id="e2")
    assert record(first, second) == [True, False]


def test_p60_events_without_a_message_id_are_recorded_by_address_and_time():
    lone = report(message="", at=NOON)
    assert record(lone, lone, report(message="", at=NOON + MINUTE)) == [True, False, True]
    assert active() == [(ADA, None, "hard_bounce")]


def test_p60_without_ids_and_times_what_was_sent_decides():
    first, second = (report(message="", at=None, payload=text) for text in (b"1", b"2"))
    assert record(first, first, second) == [True, False, True]


def test_p60_opens_of_a_message_at_different_times_are_different():
    opens = [report(Kind.OPENED, at=NOON + minutes * MINUTE) for minutes in (0, 0, 1)]
    assert record(*opens) == [True, False, True]


def test_an_event_about_nothing_is_dropped():
    assert record(report(address="", message="")) == [False]
    assert not MailEvent.objects.exists()


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_p60_a_bounce_without_an_address_is_the_one_of_its_message(order):
    reports = [report(address=""), report(Kind.DELIVERED, at=NOON - MINUTE)]
    record(*(reports[index] for index in order))
    assert active() == [(ADA, None, "hard_bounce")]


def test_a_time_in_the_future_is_that_of_the_arrival():
    record(report(at=LATER + DAY))
    assert MailEvent.objects.get().at == LATER


def soft(number, *, day):
    return report(Kind.SOFT_BOUNCED, message=f"s{number}", at=NOON + day * DAY)


def test_soft_bounces_of_as_many_messages_in_a_row_suppress(settings):
    settings.PLUMBLINE_SOFT_BOUNCES = 3
    record(soft(1, day=1), soft(2, day=2), soft(2, day=3))
    assert active() == []
    record(soft(3, day=4))
    assert active() == [(ADA, None, "soft_bounces")]


def test_a_delivery_between_soft_bounces_starts_the_count_again(settings):
    settings.PLUMBLINE_SOFT_BOUNCES = 3
    delivery = report(Kind.DELIVERED, message="d", at=NOON + 2.5 * DAY)
    record(soft(1, day=1), soft(2, day=2), delivery, soft(3, day=3), soft(4, day=4))
    assert active() == []


EVENTS = st.builds(
    report,
    kind=st.sampled_from([kind for kind in Kind if kind is not Kind.OPENED]),
    message=st.sampled_from(["m1", "m2", "m3", ""]),
    at=st.integers(0, 6).map(lambda hours: NOON + timedelta(hours=hours)),
    address=st.sampled_from([ADA, "eve@example.com"]),
    user_agent=st.sampled_from(["", "Mozilla/5.0", "Firefox"]),
)


def outcome(reports):
    MailEvent.objects.all().delete()
    Suppression.objects.all().delete()
    record(*reports)
    columns = ["message_id", "address", "kind", "link", "is_machine"]
    return active(), sorted(MailEvent.objects.values_list(*columns, "identity"), key=str)


@given(reports=st.lists(EVENTS, max_size=7), shuffle=st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_p60_order_and_repetition_do_not_matter(reports, shuffle):
    # One time for each event that may happen once: providers repeat what they said.
    once = {(event.message_id, event.address, event.kind): event for event in reports}
    others = [*once.values(), *once.values()]
    shuffle.shuffle(others)
    assert outcome(others) == outcome(list(once.values()))


def test_p58_opens_and_clicks_of_machines_are_flagged_in_any_order():
    click = report(Kind.CLICKED, at=NOON + timedelta(seconds=2), link="https://a.example/")
    record(click)
    assert not MailEvent.objects.get(kind="clicked").is_machine
    record(report(Kind.DELIVERED, at=NOON))
    assert MailEvent.objects.get(kind="clicked").is_machine


def test_p58_mail_events_are_on_the_timeline_and_are_never_activity():
    person = proved_user("ada", ADA)
    days = PersonDay.objects.count()
    record(*(report(kind, at=NOON + 3 * DAY) for kind in Kind))
    names = set(Event.objects.filter(person=person).values_list("event", flat=True))
    assert {"email_delivered", "email_opened", "email_clicked", "email_bounced"} <= names
    assert PersonDay.objects.count() == days


def test_mail_events_of_an_address_that_several_persons_have_are_on_no_timeline():
    proved_user("ada", ADA)
    proved_user("eve", ADA)
    record(report(Kind.OPENED))
    assert not Event.objects.filter(event="email_opened").exists()
