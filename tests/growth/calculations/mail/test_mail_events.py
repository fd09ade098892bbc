"""What providers' events mean."""

import pytest

from growth.calculations.mail.mail_events import MailEventKind, kind_of

HARD, SOFT = MailEventKind.BOUNCED, MailEventKind.SOFT_BOUNCED


@pytest.mark.parametrize(
    ("reason", "response", "kind"),
    [
        ("bounced", "550 5.1.1 no such user", HARD),
        ("other", "550 5.1.1 no such user", HARD),
        ("bounced", "smtp; 452 4.2.2 mailbox full", SOFT),
        ("bounced", "552 5.2.2 mailbox full", SOFT),
        ("bounced", "550 5.7.1 blocked by policy", SOFT),
        ("bounced", "421 try again later", SOFT),
        ("bounced", "", HARD),
        ("invalid", "", HARD),
        ("blocked", "", SOFT),
        ("timed_out", "", SOFT),
        ("spam", "", SOFT),
        ("", "", SOFT),
        ("bounced", "host 10.5.1.1 said no", HARD),  # an address of a network cannot be a status
    ],
)
def test_a_bounce_is_hard_if_the_address_will_never_work(reason, response, kind):
    assert kind_of("bounced", reject_reason=reason, response=response) is kind


@pytest.mark.parametrize("reason", ["", "bounced", "spam"])
def test_p44_a_complaint_is_a_complaint_whatever_its_reason(reason):
    kind = kind_of("complained", reject_reason=reason, response="550 5.7.1")
    assert kind is MailEventKind.COMPLAINED


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("spam", MailEventKind.COMPLAINED),
        ("bounced", HARD),
        ("unsubscribed", MailEventKind.UNSUBSCRIBED),
        ("blocked", None),
    ],
)
def test_what_the_provider_refuses_to_send_has_the_reason_of_its_list(reason, kind):
    assert kind_of("rejected", reject_reason=reason, response="") is kind


@pytest.mark.parametrize("event_type", ["queued", "sent", "subscribed", "unknown", ""])
def test_other_events_mean_nothing(event_type):
    assert kind_of(event_type, reject_reason="", response="") is None
