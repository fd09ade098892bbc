"""Requests with an idempotency key: executed once, with the same response to every retry."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from billing.models import IdempotentRequest

KEPT_FOR = timedelta(days=2)
DEAD_AFTER = timedelta(minutes=10)  # no request takes that long


class IdempotencyKeyReused(ValueError):
    """The key was already used for a different request."""


class InProgress(Exception):
    """The first request with the key is still in progress."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key that a user chose: another user's equal key is a different key."""

    user_id: int
    text: str


@dataclass(frozen=True, slots=True)
class KeyedResponse:
    status: int
    data: Any


def once(
    key: IdempotencyKey,
    request: bytes,
    execute: Callable[[], KeyedResponse],
    *,
    distinct_id: str = "",
) -> KeyedResponse:
    """Return the response of `execute`, or its earlier response to the same request.

    It is kept until the person with `distinct_id` is erased, at most for `KEPT_FOR`.
    An exception leaves the key free, so that the request can be retried.
    """
    fingerprint = hashlib.sha256(request).hexdigest()
    kept, created = IdempotentRequest.objects.get_or_create(
        user_id=key.user_id,
        key=key.text,
        defaults={"fingerprint": fingerprint, "distinct_id": distinct_id},
    )
    if not created:
        if kept.fingerprint != fingerprint:
            raise IdempotencyKeyReused("The key was already used for a different request.")
        if kept.status is not None:
            return KeyedResponse(kept.status, kept.answer)
        if not _take_over(kept):
            raise InProgress("The first request with this key is still in progress.")
    try:
        response = execute()
    except BaseException:
        kept.delete()
        raise
    IdempotentRequest.objects.filter(pk=kept.pk).update(
        status=response.status, answer=response.data
    )
    return response


def _take_over(kept: IdempotentRequest) -> bool:
    """Let a single caller take over from a request that died."""
    now = timezone.now()
    unanswered = IdempotentRequest.objects.filter(pk=kept.pk, status=None)
    return unanswered.filter(created_at__lt=now - DEAD_AFTER).update(created_at=now) == 1


def delete_old(now: datetime) -> None:
    IdempotentRequest.objects.filter(created_at__lt=now - KEPT_FOR).delete()
