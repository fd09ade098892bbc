"""Caps on the e-mails to persons that events can cause: claim each before sending it.

Claims are rows of the database under one lock, so the caps hold exactly for parallel workers. Each
is committed before its e-mail is sent: call `claim` outside of a transaction.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum, auto

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.crypto import salted_hmac

from analytics.models import MailClaim
from common.calculations.mailbox import mailbox
from common.locks import Lock, locked_cursor

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
KEPT = timedelta(days=40)  # longer than a month, in which the same notice is sent once

_SALT = "plumbline.mailbox"
_UNPROVED = "unproved:"


class MailVerdict(Enum):
    """Whether an e-mail may be sent now."""

    GRANTED = auto()
    DUPLICATE = auto()  # the same one was sent to this mailbox
    MAILBOX_FULL = auto()  # the mailbox got its e-mails of the day
    HOUR_FULL = auto()  # all mailboxes together got those of the hour: try again later


def claim(address: str, key: str, *, now: datetime, again: bool = False) -> MailVerdict:
    """Claim an e-mail; `key` names its content: a mailbox gets it once.

    With `again`, the sender that claimed it before died, perhaps before it sent anything. What goes
    to an address that may be another person's (`unproved(key)`) takes at most half of each cap, and
    never the place of what the address gets as a proved one.
    """
    box = _hash(address)
    with transaction.atomic():
        locked_cursor(Lock.MAIL_CAPS)
        if again:
            release(address, key)
        verdict = _verdict(box, key, now)
        if verdict is MailVerdict.GRANTED:
            MailClaim.objects.create(mailbox=box, key=key, claimed_at=now)
    return verdict


def unproved(key: str) -> str:
    """Return the key of the same content for an address that is not proved."""
    return _UNPROVED + key


def _verdict(box: str, key: str, now: datetime) -> MailVerdict:
    own = MailClaim.objects.filter(mailbox=box)
    if own.filter(key__in=[key, key.removeprefix(_UNPROVED)]).exists():
        return MailVerdict.DUPLICATE
    in_a_day = own.filter(claimed_at__gt=now - DAY)
    if _is_full(in_a_day, settings.PLUMBLINE_EMAILS_PER_ADDRESS, key):
        return MailVerdict.MAILBOX_FULL
    return MailVerdict.HOUR_FULL if is_hour_full(key, now=now) else MailVerdict.GRANTED


def is_hour_full(key: str = "", *, now: datetime) -> bool:
    """Whether the cap of the hour is reached for an e-mail, by default to a proved address."""
    in_an_hour = MailClaim.objects.filter(claimed_at__gt=now - HOUR)
    return _is_full(in_an_hour, settings.PLUMBLINE_EMAILS_PER_HOUR, key)


def _is_full(claims: QuerySet[MailClaim], cap: int, key: str) -> bool:
    """Whether a cap is reached for an e-mail; half of it, rounded up, for an unproved address."""
    if claims.count() >= cap:
        return True
    others = claims.filter(key__startswith=_UNPROVED)
    return key.startswith(_UNPROVED) and others.count() >= (cap + 1) // 2


def release(address: str, key: str) -> None:
    """Give back the claim of an e-mail that could not be sent."""
    MailClaim.objects.filter(mailbox=_hash(address), key=key).delete()


def reached(now: datetime) -> tuple[bool, int]:
    """Return whether the cap of the hour is reached, and how many mailboxes reached theirs."""
    mailboxes = MailClaim.objects.filter(claimed_at__gt=now - DAY).values("mailbox")
    counts = mailboxes.annotate(
        in_a_day=Count("pk"), in_an_hour=Count("pk", filter=Q(claimed_at__gt=now - HOUR))
    )
    is_full = Q(in_a_day__gte=settings.PLUMBLINE_EMAILS_PER_ADDRESS)
    totals = counts.aggregate(sent=Sum("in_an_hour"), full=Count("mailbox", filter=is_full))
    return (totals["sent"] or 0) >= settings.PLUMBLINE_EMAILS_PER_HOUR, totals["full"]


def claims_of(addresses: Collection[str]) -> QuerySet[MailClaim]:
    """Return the claims of these addresses' mailboxes."""
    return MailClaim.objects.filter(mailbox__in=[_hash(address) for address in addresses])


def delete_old(now: datetime) -> None:
    MailClaim.objects.filter(claimed_at__lt=now - KEPT).delete()


def _hash(address: str) -> str:
    return salted_hmac(_SALT, mailbox(address), algorithm="sha256").hexdigest()
