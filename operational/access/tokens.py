"""API tokens: created with scopes and an expiry, revoked at once."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q

from operational.access.scopes import checked
from operational.models import ApiToken

EXPIRES_IN = timedelta(days=90)  # by default
LONGEST = timedelta(days=3650)


def create(
    user: User, *, name: str, scopes: Iterable[str], expires_in: timedelta | None = EXPIRES_IN
) -> tuple[ApiToken, str]:
    """Return a new token and its secret, which is not stored; `expires_in` None: never.

    Raises UnknownScope.
    """
    token, secret = ApiToken.objects.create(
        user, expiry=expires_in, name=name, scopes=checked(scopes)
    )
    return token, secret


def state(token: ApiToken, *, now: datetime) -> str:
    """Return "active", "expired" or "revoked"."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expiry is not None and token.expiry <= now else "active"


def revoke(digests: Collection[str], *, now: datetime) -> int:
    """Revoke tokens from now on; return how many were not revoked before."""
    tokens = ApiToken.objects.filter(pk__in=digests, revoked_at=None)
    revoked: int = tokens.update(revoked_at=now)
    return revoked


def record_use(token: ApiToken, *, now: datetime) -> None:
    """Store the minute in which a token was last used, with at most one write a minute."""
    minute = now.replace(second=0, microsecond=0)
    if token.last_used_at is None or token.last_used_at < minute:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=minute)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=minute)
