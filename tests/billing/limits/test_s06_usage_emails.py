"""S06: usage notices keep within the caps; what is over them waits or is dropped, visibly."""

from datetime import timedelta

import pytest

from billing.limits import usage_notices
from billing.models import UsageNotice
from operational.health.system_health import system_health
from tests.billing.limited_usage import NOW, identify, limit, ran

pytestmark = pytest.mark.django_db

Email = UsageNotice.Email


@pytest.fixture(autouse=True)
def limited(mail_server, settings):
    settings.PLUMBLINE_EMAILS_PER_ADDRESS, settings.PLUMBLINE_EMAILS_PER_HOUR = 2, 3
    limit(10)


def outcomes():
    rows = UsageNotice.objects.order_by("distinct_id")
    return list(rows.values_list("email", flat=True))


def heavy(number, email, *, meters=1):
    identify(email, f"person{number}")
    for event in ("workflow_run", "suggestion_applied", "workflow_created")[:meters]:
        ran(8, person=f"person{number}", event=event)


def test_s06_p49_two_persons_with_one_address_get_one_notice(mail_server):
    heavy(0, "ada@example.com")
    heavy(1, "ADA@example.com")
    usage_notices.notify_all(now=NOW)
    assert sorted(outcomes()) == [Email.DUPLICATE, Email.SENT]
    assert len(mail_server.messages) == 1


def test_s06_other_notices_to_one_address_are_sent_up_to_the_cap_of_a_day(mail_server):
    for meter in ("suggestions", "workflows"):
        limit(10, meter=meter)
    heavy(0, "ada@example.com", meters=3)
    usage_notices.notify_all(now=NOW)
    assert sorted(outcomes()) == [Email.CAPPED, Email.SENT, Email.SENT]
    assert len(mail_server.messages) == 2


def test_s06_what_is_over_the_cap_of_the_hour_waits_and_is_sent_later(mail_server):
    for number in range(5):
        heavy(number, f"person{number}@example.com")
    usage_notices.notify_all(now=NOW)
    assert outcomes() == [*[Email.SENT] * 3, *[Email.WAITING] * 2]
    usage_notices.notify_all(now=NOW + timedelta(minutes=59))
    assert len(mail_server.messages) == 3
    usage_notices.notify_all(now=NOW + timedelta(hours=1))
    assert outcomes() == [Email.SENT] * 5
    assert len(mail_server.messages) == 5


def test_s06_waiting_for_the_next_hour_uses_up_no_attempt(mail_server):
    for number in range(4):
        heavy(number, f"person{number}@example.com")
    for minute in range(20):
        usage_notices.notify_all(now=NOW + timedelta(minutes=minute))
    assert UsageNotice.objects.get(email=Email.WAITING).attempts == 0


def test_s06_a_refused_e_mail_counts_for_no_cap_and_is_sent_later(mail_server):
    heavy(0, "ada@example.com")
    mail_server.refusal = "451 try again"
    for _ in range(3):
        usage_notices.notify_all(now=NOW)
    mail_server.refusal = ""
    usage_notices.notify_all(now=NOW)
    assert (outcomes(), len(mail_server.messages)) == ([Email.SENT], 1)


def test_s06_a_reached_cap_is_part_of_the_systems_health(mail_server):
    for number in range(3):
        heavy(number, f"person{number}@example.com")
    usage_notices.notify_all(now=NOW)
    components = {row.name: row for row in system_health(NOW).components}
    assert "cap of 3 e-mails an hour" in components["mail caps"].detail
