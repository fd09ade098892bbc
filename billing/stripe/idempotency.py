"""Requests with an idempotency key: done once, answered alike as often as they come."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from billing.models import IdempotentRequest

KEPT = timedelta(days=2)
DEAD = timedelta(minutes=10)  # no request takes that long


class IdempotencyKeyReused(ValueError):
    """The key came with another request before."""


class InProgress(Exception):
    """The first request with the key is not answered yet."""


@dataclass(frozen=True, slots=True)
class KeyedResponse:
    status: int
    data: Any


def once(key: str, request: bytes, do: Callable[[], KeyedResponse]) -> KeyedResponse:
    """Return what `do` answers, or what it answered to the same request before.

    What raises leaves the key free, so that the request may be tried again.
    """
    fingerprint = hashlib.sha256(request).hexdigest()
    kept, created = IdempotentRequest.objects.get_or_create(
        key=key, defaults={"fingerprint": fingerprint}
    )
    if not created:
        if kept.fingerprint != fingerprint:
            raise IdempotencyKeyReused("It came with another request before.")
        if kept.status is not None:
            return KeyedResponse(kept.status, kept.answer)
        if not _taken_over(key):
            raise InProgress("The first request with this key is not answered yet.")
    try:
        answer = do()
    except BaseException:
        kept.delete()
        raise
    IdempotentRequest.objects.filter(pk=key).update(status=answer.status, answer=answer.data)
    return answer


def _taken_over(key: str) -> bool:
    """Let one caller go on where the first one has died."""
    now = timezone.now()
    unanswered = IdempotentRequest.objects.filter(pk=key, status=None)
    return unanswered.filter(created_at__lt=now - DEAD).update(created_at=now) == 1


def forget_old(now: datetime) -> None:
    IdempotentRequest.objects.filter(created_at__lt=now - KEPT).delete()
