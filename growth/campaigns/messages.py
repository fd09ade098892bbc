"""Makes the e-mail of a campaign to a person: headers, footer, text and HTML."""

from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.message_ids import message_id
from growth.models import MailTopic
from growth.suppression.preferences import preferences_url, unsubscribe_headers

_LONGEST_SUBJECT = 250  # characters; what clients show is far shorter


@dataclass(frozen=True, slots=True)
class Letter:
    """What a person is to read, rendered for them; `html` is a fragment that is safe."""

    subject: str
    preheader: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Footer:
    """What every marketing e-mail must say about its sender."""

    reason: str  # why the person gets it, as a sentence
    postal_address: str


def build(
    letter: Letter, footer: Footer, *, address: str, topic: MailTopic, campaign: str, claim: str
) -> EmailMultiAlternatives:
    """Return the message of a claim: with the same Message-ID whenever it is made again.

    `campaign` names it to mailbox providers, who report spam by it: letters, digits, hyphens.
    """
    url = preferences_url(address, topic)
    sender = settings.PLUMBLINE_EMAIL_FROM
    domain = sender.rpartition("@")[2].rstrip(">") or "localhost"
    message = EmailMultiAlternatives(
        _line(letter.subject)[:_LONGEST_SUBJECT],
        _text(letter, footer, url),
        sender,
        [address],
        headers={
            **unsubscribe_headers(address, topic),
            "Message-ID": message_id("campaign mail", claim),
            "List-Id": f"<{topic.slug}.{domain}>",
            "Feedback-ID": f"{campaign}:{topic.slug}:campaign:{domain.replace('.', '-')}",
        },
    )
    message.attach_alternative(_html(letter, footer, url), "text/html")
    return message


def _line(text: str) -> str:
    """Return a text as a single line: a value with a line break adds no header."""
    return " ".join(text.split())


def _text(letter: Letter, footer: Footer, url: str) -> str:
    return (
        f"{letter.text.strip()}\n\n-- \n{footer.reason}\n"
        f"Unsubscribe or choose your e-mails: {url}\n{footer.postal_address}\n"
    )


def _html(letter: Letter, footer: Footer, url: str) -> SafeString:
    """Return the whole page; `letter.html` has its values escaped already."""
    return format_html(
        '<!doctype html><html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"></head>'
        '<body style="margin:0;padding:24px;font:16px/1.5 sans-serif;color:#1f2937">'
        '<div style="display:none;max-height:0;overflow:hidden">{}</div>'
        '<div style="max-width:560px;margin:0 auto">{}'
        '<hr style="border:0;border-top:1px solid #d1d5db;margin:32px 0 16px">'
        '<p style="font-size:13px;color:#6b7280">{}<br>'
        '<a href="{}" style="color:#6b7280">Unsubscribe or choose your e-mails</a><br>{}</p>'
        "</div></body></html>",
        _line(letter.preheader),
        SafeString(letter.html),
        footer.reason,
        url,
        footer.postal_address,
    )
