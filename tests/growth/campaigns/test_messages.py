"""The e-mail of a campaign, as a real mail server receives it."""

import re

import pytest
from django.test import Client

from growth.calculations.mail.mail_events import SuppressionReason
from growth.campaigns.messages import Footer, Letter, build
from tests.growth.suppression.mails import ADA, active, topic

pytestmark = pytest.mark.django_db
FOOTER = Footer("You signed up at Example.", "Example Ltd, 1 High Street <London>")
LONG = "Ваша неделя в цифрах 🎉 " * 8


@pytest.fixture
def tips():
    return topic("Tips")


@pytest.fixture
def receive(mail_server, settings, tips):
    """Send an e-mail to the server and return it as it arrived."""
    settings.PLUMBLINE_EMAIL_FROM = "Zoë at Example <zoe@mail.example.com>"

    def receive(*, claim="c1", subject="Welcome", text="Hi", html="<p>Hi</p>", preheader="Soon"):
        letter = Letter(subject, preheader, text, html)
        message = build(
            letter, FOOTER, address=ADA, topic=tips, campaign="day-3-v1-s1", claim=claim
        )
        assert message.send() == 1
        return mail_server.messages[-1]

    return receive


def link_in(mail):
    return mail["List-Unsubscribe"].strip(" <>")  # folded: it begins in the second line


def test_headers_say_who_sends_what_and_how_to_stop_it(receive, tips, settings):
    mail = receive()
    assert mail["To"] == ADA
    assert mail["From"] == "Zoë at Example <zoe@mail.example.com>"
    assert link_in(mail).startswith(settings.PLUMBLINE_URL)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"] == f"<{tips.slug}.mail.example.com>"
    assert mail["Feedback-ID"] == f"day-3-v1-s1:{tips.slug}:campaign:mail-example-com"


def test_the_message_id_belongs_to_the_claim(receive):
    ids = [receive(claim=claim)["Message-ID"] for claim in ("c1", "c1", "c2")]
    assert ids[0] == ids[1] != ids[2]
    assert re.fullmatch(r"<[0-9a-f-]{36}@mail\.example\.com>", ids[0])


@pytest.mark.parametrize("subject", ["Grüße, 山田さん", LONG, "🎉" * 60, "x" * 240])
def test_any_subject_arrives_whole(receive, subject):
    assert receive(subject=subject)["Subject"].strip() == subject.strip()


def test_a_subject_beyond_the_limit_is_cut(receive):
    assert receive(subject="x" * 900)["Subject"].strip() == "x" * 250


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r"])
def test_a_line_break_in_the_subject_adds_no_header(receive, ending):
    mail = receive(subject=f"Hi{ending}Bcc: eve@example.com")
    assert mail["Subject"] == "Hi Bcc: eve@example.com"
    assert mail["Bcc"] is None
    assert mail.recipients == [ADA]


def test_text_and_html_arrive_in_every_script_with_the_footer(receive):
    mail = receive(text="Hi 山田 🎉", html="<p>Hi 山田 🎉</p>")
    assert mail.get_content_type() == "multipart/alternative"
    text, html = (mail.get_body([kind]).get_content() for kind in ("plain", "html"))
    assert "Hi 山田 🎉" in text
    assert "<p>Hi 山田 🎉</p>" in html
    assert FOOTER.postal_address in text
    assert "1 High Street &lt;London&gt;" in html
    for part in (text, html):
        assert FOOTER.reason in part
        assert link_in(mail) in part


def test_the_preheader_precedes_the_body_and_is_escaped(receive):
    html = receive(preheader="<b>Soon</b>").get_body(["html"]).get_content()
    assert html.index("&lt;b&gt;Soon&lt;/b&gt;") < html.index("<p>Hi</p>")


def test_one_click_in_the_received_mail_unsubscribes_and_a_scanner_does_not(
    receive, tips, settings
):
    path = link_in(receive()).removeprefix(settings.PLUMBLINE_URL)
    client = Client(enforce_csrf_checks=True)
    for method in (client.get, client.head):
        assert method(path).status_code == 200
    assert active() == []
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert active() == [(ADA, tips.pk, SuppressionReason.UNSUBSCRIBED.value)]
