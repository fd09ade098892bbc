"""The e-mails about usage limits: each is sent once, and its outcome is stored.

They go only to addresses that may be mailed (`analytics.people.addresses`), within the caps on
e-mails to persons (`analytics.people.mail_caps`).
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F, Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from analytics.models import Person
from analytics.people import addresses, mail_caps, persons
from analytics.people.addresses import AddressSource, PersonAddress
from analytics.people.mail_caps import MailVerdict
from billing.limits import usage_limits, usage_prompts
from billing.limits.usage_limits import UsageDecision
from billing.models import UsageNotice
from billing.stripe import gateway
from common import claims
from common.message_ids import message_id

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
Clock = Callable[[], datetime]
_OVER_A_CAP = {
    MailVerdict.DUPLICATE: UsageNotice.Email.DUPLICATE,
    MailVerdict.MAILBOX_FULL: UsageNotice.Email.CAPPED,
    MailVerdict.HOUR_FULL: UsageNotice.Email.WAITING,
}


def waiting(now: datetime) -> QuerySet[UsageNotice]:
    """Return the notices whose e-mail is to be sent or retried, those of dead workers included."""
    to_send = Q(
        email__in=[UsageNotice.Email.WAITING, UsageNotice.Email.FAILED], attempts__lt=MOST_ATTEMPTS
    )
    of_the_dead = Q(email=UsageNotice.Email.SENDING) & claims.is_over("claimed_until", now)
    return UsageNotice.objects.filter(to_send | of_the_dead)


def send_waiting(*, now: datetime, clock: Clock = timezone.now) -> None:
    """Send the notices that wait, oldest first, until the cap of the hour is reached."""
    for notice in waiting(clock()).order_by("pk").iterator():
        outcome = send(notice, now=now, clock=clock)
        if outcome is UsageNotice.Email.WAITING and mail_caps.is_hour_full(now=now):
            return


def send(notice: UsageNotice, *, now: datetime, clock: Clock = timezone.now) -> UsageNotice.Email:
    """E-mail a notice, unless another worker does or did; return the outcome.

    The next run retries failures, and what waits because of the cap of the hour.
    """
    own = UsageNotice.objects.filter(pk=notice.pk)
    with claims.hold(
        f"usage notice {notice.pk}", lambda: own.update(claimed_until=clock() + claims.LASTS)
    ) as is_free:
        if not is_free or not _claim(notice, clock()):
            return UsageNotice.Email.SENDING
        outcome = _email(notice, now=now)
        attempts = F("attempts") - (1 if outcome is UsageNotice.Email.WAITING else 0)
        own.update(email=outcome, attempts=attempts, claimed_until=None)
        return outcome


def _claim(notice: UsageNotice, now: datetime) -> bool:
    notice.refresh_from_db(fields=["email"])  # "sending" if a worker died with it
    claim = waiting(now).filter(pk=notice.pk)
    claimed = {"email": UsageNotice.Email.SENDING, "claimed_until": now + claims.LASTS}
    return bool(claim.update(attempts=F("attempts") + 1, **claimed))


def _email(notice: UsageNotice, *, now: datetime) -> UsageNotice.Email:
    person = persons.find_person(notice.distinct_id_id)
    account = usage_limits.account_of_person(person.pk, now=now) if person else None
    meter_usages = account.meter_usages if account else []
    meter_usage = next((row for row in meter_usages if row.meter.id == notice.meter_id), None)
    if (
        person is None
        or account is None
        or meter_usage is None
        or meter_usage.crossed < notice.threshold
    ):
        return UsageNotice.Email.OUTDATED
    recipient = addresses.address_of(person)
    if reason := _reason_not_to_send(notice, person, recipient):
        return reason
    message = _message(usage_limits.decision_on_next(account, meter_usage), recipient)
    key = _key(notice) if recipient.is_proved else mail_caps.unproved(_key(notice))
    return _send_once(notice, message, key, now=now)


def _reason_not_to_send(
    notice: UsageNotice, person: Person, recipient: PersonAddress
) -> UsageNotice.Email | None:
    if not settings.PLUMBLINE_EMAIL_FROM:
        return UsageNotice.Email.OFF
    if not notice.plan.emails:
        return UsageNotice.Email.PLAN_WITHOUT
    if person.is_demo:
        return UsageNotice.Email.DEMO
    if not recipient.address:
        return UsageNotice.Email.NO_ADDRESS
    if recipient.source is AddressSource.SUPPRESSED:
        return UsageNotice.Email.SUPPRESSED
    return None if recipient.may_be_mailed else UsageNotice.Email.UNPROVED


def _send_once(
    notice: UsageNotice, message: EmailMultiAlternatives, key: str, *, now: datetime
) -> UsageNotice.Email:
    """Send a message if the caps allow it; what could not be sent counts for none of them.

    The same notice of a dead worker is sent again, with the same Message-ID.
    """
    (address,) = message.to
    message.extra_headers["Message-ID"] = message_id("usage notice", str(notice.pk))
    is_again = notice.email == UsageNotice.Email.SENDING
    verdict = mail_caps.claim(address, key, now=now, again=is_again)
    if verdict is not MailVerdict.GRANTED:
        return _OVER_A_CAP[verdict]
    try:
        was_sent = bool(message.send())
    except Exception as error:  # noqa: BLE001  whatever a mail backend raises; the next one goes out
        logger.warning("A usage notice could not be e-mailed: %s", type(error).__name__)
        was_sent = False
    if not was_sent:
        mail_caps.release(address, key)
    return UsageNotice.Email.SENT if was_sent else UsageNotice.Email.FAILED


def _key(notice: UsageNotice) -> str:
    """Return the name of a notice's content, the same for two persons with one address."""
    parts = notice.meter_id, notice.plan_id, notice.threshold, notice.period_start.isoformat()
    return ":".join(["usage-notice", *map(str, parts)])


def _may_sell(person: Person, recipient: PersonAddress) -> bool:
    """Whether a mail may have a link that buys for the person: not if others may read it."""
    if not recipient.is_proved or persons.proved_distinct_id(person.pk) is None:
        return False
    return persons.person_with_proved_email(recipient.address) == person


def _message(decision: UsageDecision, recipient: PersonAddress) -> EmailMultiAlternatives:
    prompt = usage_prompts.prompt(decision)
    if prompt and not _may_sell(decision.person, recipient):
        prompt = replace(prompt, upgrade_url="")
    context = {"prompt": prompt, "plan": decision.suggested, "hours": gateway.VALID_HOURS}
    text, html = (
        render_to_string(f"billing/email/usage_notice.{kind}", context) for kind in ("txt", "html")
    )
    subject = prompt.title if prompt else ""
    message = EmailMultiAlternatives(
        subject, text, settings.PLUMBLINE_EMAIL_FROM, [recipient.address]
    )
    message.attach_alternative(html, "text/html")
    return message
