"""Requests with an idempotency key: done once, answered alike as often as they come."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from billing.models import IdempotentRequest

KEPT = timedelta(days=2)


class KeyReused(ValueError):
    """The key came with another request before."""


class InProgress(Exception):
    """The first request with the key is not answered yet."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    data: Any


def once(key: str, request: bytes, do: Callable[[], Answer]) -> Answer:
    """Return what `do` answers, or what it answered to the same request before.

    What raises leaves the key free, so that the request may be tried again.
    """
    fingerprint = hashlib.sha256(request).hexdigest()
    kept, created = IdempotentRequest.objects.get_or_create(
        key=key, defaults={"fingerprint": fingerprint}
    )
    if not created:
        if kept.fingerprint != fingerprint:
            raise KeyReused("It came with another request before.")
        if kept.status is None:
            raise InProgress("The first request with this key is not answered yet.")
        return Answer(kept.status, kept.answer)
    try:
        answer = do()
    except BaseException:
        kept.delete()
        raise
    IdempotentRequest.objects.filter(pk=key).update(status=answer.status, answer=answer.data)
    return answer


def forget_old(now: datetime) -> None:
    IdempotentRequest.objects.filter(created_at__lt=now - KEPT).delete()
