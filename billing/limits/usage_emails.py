"""The e-mails about usage limits: each is sent once, and its outcome is stored.

They go only to addresses that may be mailed (`analytics.people.addresses`), within the caps on
e-mails to persons (`analytics.people.mail_caps`).
"""

import logging
from dataclasses import replace
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F, QuerySet
from django.template.loader import render_to_string

from analytics.models import Person
from analytics.people import addresses, mail_caps, persons
from analytics.people.addresses import PersonAddress
from analytics.people.mail_caps import MailVerdict
from billing.limits import usage_limits, usage_prompts
from billing.limits.usage_limits import UsageDecision
from billing.models import UsageNotice
from billing.stripe import gateway

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
_OVER_A_CAP = {
    MailVerdict.DUPLICATE: UsageNotice.Email.DUPLICATE,
    MailVerdict.MAILBOX_FULL: UsageNotice.Email.CAPPED,
    MailVerdict.HOUR_FULL: UsageNotice.Email.WAITING,
}


def waiting() -> QuerySet[UsageNotice]:
    """Return the notices whose e-mail is still to be sent or retried."""
    to_send = [UsageNotice.Email.WAITING, UsageNotice.Email.FAILED]
    return UsageNotice.objects.filter(email__in=to_send, attempts__lt=MOST_ATTEMPTS)


def send_waiting(*, now: datetime) -> None:
    """Send the notices that wait, oldest first, until the cap of the hour is reached."""
    for notice in waiting().order_by("pk").iterator():
        if send(notice, now=now) is UsageNotice.Email.WAITING:
            return


def send(notice: UsageNotice, *, now: datetime) -> UsageNotice.Email:
    """E-mail a notice, unless another worker does or did; return the outcome.

    The next run retries failures, and what waits because of the cap of the hour.
    """
    claim = waiting().filter(pk=notice.pk)
    if not claim.update(email=UsageNotice.Email.SENDING, attempts=F("attempts") + 1):
        return UsageNotice.Email.SENDING
    outcome = _email(notice, now=now)
    attempts = F("attempts") - (1 if outcome is UsageNotice.Email.WAITING else 0)
    UsageNotice.objects.filter(pk=notice.pk).update(email=outcome, attempts=attempts)
    return outcome


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
    message = _message(usage_limits.decision_on_next(account, meter_usage), recipient.address)
    return _send_once(message, recipient.address, _key(notice), now=now)


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
    return None if recipient.may_be_mailed else UsageNotice.Email.UNPROVED


def _send_once(
    message: EmailMultiAlternatives, address: str, key: str, *, now: datetime
) -> UsageNotice.Email:
    """Send a message if the caps allow it; what could not be sent counts for none of them."""
    verdict = mail_caps.claim(address, key, now=now)
    if verdict is not MailVerdict.GRANTED:
        return _OVER_A_CAP[verdict]
    try:
        message.send()
    except (OSError, SMTPException) as error:
        logger.warning("A usage notice could not be e-mailed: %s", type(error).__name__)
        mail_caps.release(address, key)
        return UsageNotice.Email.FAILED
    return UsageNotice.Email.SENT


def _key(notice: UsageNotice) -> str:
    """Return the name of a notice's content, the same for two persons with one address."""
    parts = notice.meter_id, notice.plan_id, notice.threshold, notice.period_start.isoformat()
    return ":".join(["usage-notice", *map(str, parts)])


def _message(decision: UsageDecision, address: str) -> EmailMultiAlternatives:
    prompt = usage_prompts.prompt(decision)
    if prompt and persons.proved_distinct_id(decision.person.pk) is None:
        prompt = replace(prompt, upgrade_url="")  # its page would sell nothing
    context = {"prompt": prompt, "plan": decision.suggested, "hours": gateway.VALID_HOURS}
    text, html = (
        render_to_string(f"billing/email/usage_notice.{kind}", context) for kind in ("txt", "html")
    )
    subject = prompt.title if prompt else ""
    message = EmailMultiAlternatives(subject, text, settings.PLUMBLINE_EMAIL_FROM, [address])
    message.attach_alternative(html, "text/html")
    return message
