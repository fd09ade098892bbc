"""The e-mails about usage limits: each is sent once, and its outcome is stored."""

import logging
from datetime import datetime
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db.models import F, QuerySet
from django.template.loader import render_to_string

from analytics.models import Person
from analytics.people import persons
from billing.limits import usage_limits, usage_prompts
from billing.limits.usage_limits import UsageDecision
from billing.models import UsageNotice

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 5


def waiting() -> QuerySet[UsageNotice]:
    """Return the notices whose e-mail is still to be sent or retried."""
    to_send = [UsageNotice.Email.WAITING, UsageNotice.Email.FAILED]
    return UsageNotice.objects.filter(email__in=to_send, attempts__lt=MOST_ATTEMPTS)


def send(notice: UsageNotice, *, now: datetime) -> None:
    """E-mail a notice, unless another worker does or did. The next run retries failures."""
    claim = waiting().filter(pk=notice.pk)
    if claim.update(email=UsageNotice.Email.SENDING, attempts=F("attempts") + 1):
        outcome = _email(notice, now=now)
        UsageNotice.objects.filter(pk=notice.pk).update(email=outcome)


def _email(notice: UsageNotice, *, now: datetime) -> UsageNotice.Email:
    person = persons.find_person(notice.distinct_id_id)
    account = usage_limits.account_of_person(person.pk, now=now) if person else None
    meter_usages = account.meter_usages if account else []
    meter_usage = next((row for row in meter_usages if row.meter.id == notice.meter_id), None)
    if account is None or meter_usage is None or meter_usage.crossed < notice.threshold:
        return UsageNotice.Email.OUTDATED
    address = account.situation.person.properties.get("email")
    if reason := _reason_not_to_send(notice, account.situation.person, address):
        return reason
    try:
        _message(usage_limits.decision_on_next(account, meter_usage), address).send()
    except (OSError, SMTPException) as error:
        logger.warning("A usage notice could not be e-mailed: %s", type(error).__name__)
        return UsageNotice.Email.FAILED
    return UsageNotice.Email.SENT


def _reason_not_to_send(
    notice: UsageNotice, person: Person, address: Any
) -> UsageNotice.Email | None:
    if not settings.PLUMBLINE_EMAIL_FROM:
        return UsageNotice.Email.OFF
    if not notice.plan.emails:
        return UsageNotice.Email.PLAN_WITHOUT
    if person.is_demo:
        return UsageNotice.Email.DEMO
    return None if _is_address(address) else UsageNotice.Email.NO_ADDRESS


def _is_address(value: Any) -> bool:
    try:
        validate_email(value if isinstance(value, str) else "")
    except ValidationError:
        return False
    return True


def _message(decision: UsageDecision, address: str) -> EmailMultiAlternatives:
    prompt = usage_prompts.prompt(decision)
    context = {"prompt": prompt, "plan": decision.suggested}
    text, html = (
        render_to_string(f"billing/email/usage_notice.{kind}", context) for kind in ("txt", "html")
    )
    subject = prompt.title if prompt else ""
    message = EmailMultiAlternatives(subject, text, settings.PLUMBLINE_EMAIL_FROM, [address])
    message.attach_alternative(html, "text/html")
    return message
