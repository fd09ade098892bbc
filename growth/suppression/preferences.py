"""What people choose about marketing mail, behind a signed link that needs no login.

The link is the permission, and never expires: a mail of years ago must still unsubscribe. It
contains the address, signed: a link that was changed is not valid.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from common.calculations.mailbox import lower_ascii
from growth.calculations.mail.mail_events import SuppressionReason
from growth.models import MailTopic, Suppression
from growth.suppression import suppressions

_SALT = "plumbline.mail-preferences"
_CHOSEN = "Chosen on the preferences page"
PAGE, ONE_CLICK = "preferences page", "one-click"
KEPT = 50  # of the choices that people took back, for each mailbox


@dataclass(frozen=True, slots=True)
class PreferencesLink:
    """What a link is for: an address, and the topic of the mail that it was in, if any."""

    address: str
    topic: MailTopic | None

    @property
    def masked_address(self) -> str:
        """The address as the page shows it, to everyone who has the link."""
        local, _, domain = self.address.rpartition("@")
        return f"{local[:1]}•••@{domain[:1]}•••"


def preferences_url(address: str, topic: MailTopic | None = None) -> str:
    """Return the address of a person's preferences page, which also unsubscribes by POST."""
    token = signing.dumps([lower_ascii(address), topic.pk if topic else 0], salt=_SALT)
    return settings.PLUMBLINE_URL.rstrip("/") + reverse("growth:preferences", args=[token])


def unsubscribe_headers(address: str, topic: MailTopic | None = None) -> dict[str, str]:
    """Return the headers with which mail clients unsubscribe in one click (RFC 8058).

    Both must be among those that DKIM signs: `manage.py check_domain --message`.
    """
    return {
        "List-Unsubscribe": f"<{preferences_url(address, topic)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def read_token(token: str) -> PreferencesLink | None:
    """Return what a link is for; None if it was not made here, or was changed."""
    try:
        address, topic_id = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    return PreferencesLink(address, MailTopic.objects.filter(pk=topic_id).first())


def unsubscribed(link: PreferencesLink) -> tuple[bool, set[int]]:
    """Return whether the person unsubscribed from all of marketing, and from which topics."""
    rows = suppressions.active_rows_of([link.address])
    own = rows.filter(reason=SuppressionReason.UNSUBSCRIBED.value)
    topic_ids = set(own.values_list("topic_id", flat=True))
    return None in topic_ids, {topic_id for topic_id in topic_ids if topic_id is not None}


def unsubscribe(
    link: PreferencesLink, *, topic: MailTopic | None, source: str, now: datetime
) -> None:
    """Unsubscribe from a topic, with None from all of marketing; twice is as once."""
    suppressions.add(
        [link.address], SuppressionReason.UNSUBSCRIBED, source=source, at=now, topic=topic
    )


@transaction.atomic
def choose(link: PreferencesLink, wanted: Collection[int], *, now: datetime) -> None:
    """Subscribe to the topics with these ids and unsubscribe from all others.

    Takes back what the person chose, and nothing else: not a bounce, nor what staff added.
    """
    rows = suppressions.active_rows_of([link.address])
    own = rows.filter(reason=SuppressionReason.UNSUBSCRIBED.value)
    _take_back(link, own.filter(topic_id__in=wanted) | own.filter(topic=None), now)
    for topic in MailTopic.objects.exclude(pk__in=wanted):
        unsubscribe(link, topic=topic, source=PAGE, now=now)


@transaction.atomic
def subscribe_again(link: PreferencesLink, *, now: datetime) -> None:
    """Take back having unsubscribed from all of marketing; choices by topic stay."""
    rows = suppressions.active_rows_of([link.address])
    own = rows.filter(reason=SuppressionReason.UNSUBSCRIBED.value, topic=None)
    _take_back(link, own, now)


def _take_back(link: PreferencesLink, rows: QuerySet[Suppression], now: datetime) -> None:
    """Lift rows, and keep the latest `KEPT` of a mailbox: a link may be posted without end."""
    if not suppressions.lift(rows, by="", reason=_CHOSEN, now=now):
        return
    own = suppressions.rows_of([link.address]).filter(lifted_by="", lift_reason=_CHOSEN)
    latest = own.order_by("-lifted_at", "-pk").values_list("pk", flat=True)[:KEPT]
    own.exclude(pk__in=list(latest)).delete()
