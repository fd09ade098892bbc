"""Limits on guessing passwords and codes: delays that grow, and end.

No account is locked. A stranger can delay a user's login by a minute at most, and not at all in a
browser that the user has logged in with before.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from common.calculations.backoff import backoff
from common.client_address import client_network
from operational.access import known_devices
from operational.models import LoginLimit

Kind = LoginLimit.Kind
Counter = tuple[Kind, str]

FORGOTTEN_AFTER = timedelta(days=1)  # without an attempt


class TooManyAttempts(Exception):
    """An attempt came before its time; it was neither checked nor counted."""

    def __init__(self, retry_at: datetime) -> None:
        super().__init__(f"Too many attempts until {retry_at:%H:%M:%S}")
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class LoginDelay:
    """So many attempts need not wait; from then on each failure doubles the delay after it."""

    free: int
    first: timedelta
    longest: timedelta

    def delay(self, failures: int) -> timedelta:
        if failures < self.free:
            return timedelta()
        return backoff(failures - self.free + 1, first=self.first, longest=self.longest)


_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LIMITS = {
    Kind.ADDRESS: LoginDelay(10, 2 * _SECOND, 15 * _MINUTE),
    Kind.USER: LoginDelay(20, _SECOND, _MINUTE),
    Kind.DEVICE: LoginDelay(10, 2 * _SECOND, 15 * _MINUTE),
    Kind.CODE: LoginDelay(5, 2 * _SECOND, 5 * _MINUTE),
}


def password_counters(request: HttpRequest, username: str) -> list[Counter]:
    """Return what counts an attempt with a password."""
    user = normalized(username)
    if device := known_devices.device_id(request, user):
        return [(Kind.DEVICE, device)]
    return [(Kind.ADDRESS, client_network(request.META)), (Kind.USER, user)]


def code_counters(request: HttpRequest, username: str) -> list[Counter]:
    """Return what counts an attempt with a code, after the right password."""
    user = normalized(username)
    if device := known_devices.device_id(request, user):
        return [(Kind.DEVICE, device)]
    return [(Kind.CODE, user)]


def count(counters: list[Counter], now: datetime) -> None:
    """Count an attempt that is about to be checked, or raise `TooManyAttempts`.

    Call it outside of transactions: an attempt whose count is rolled back was a free one.
    """
    with transaction.atomic():
        for kind, subject in counters:  # kinds in the same order, so that no two wait in a circle
            _count(kind, subject, now)


def take_back(counters: list[Counter], now: datetime) -> None:
    """Uncount an attempt that succeeded."""
    for kind, subject in counters:
        LoginLimit.objects.filter(kind=kind, subject=subject, failures__gt=0).update(
            failures=F("failures") - 1, retry_at=now
        )


def delete_old(now: datetime) -> None:
    """Delete counts that no longer matter."""
    LoginLimit.objects.filter(retry_at__lt=now - FORGOTTEN_AFTER).delete()


def _count(kind: Kind, subject: str, now: datetime) -> None:
    limit, _ = LoginLimit.objects.select_for_update().get_or_create(
        kind=kind, subject=subject, defaults={"retry_at": now}
    )
    rule = LIMITS[kind]
    # A delay beyond the longest is of a clock that was wrong.
    if now < limit.retry_at <= now + rule.longest:
        raise TooManyAttempts(limit.retry_at)
    forgotten = limit.retry_at < now - FORGOTTEN_AFTER
    limit.failures = 1 if forgotten else limit.failures + 1
    limit.retry_at = now + rule.delay(limit.failures)
    limit.save(update_fields=["failures", "retry_at"])


def normalized(username: str) -> str:
    """Return the same name for every spelling: variants give no further attempts."""
    name = username.encode("utf-8", "replace").decode().replace("\0", "")
    return unicodedata.normalize("NFKC", name).casefold()[:150]
