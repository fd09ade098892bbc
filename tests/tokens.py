"""API tokens for tests."""

from django.contrib.auth.models import User

from operational.access import tokens
from operational.access.scopes import SCOPES


def token(user: User, *scopes: str) -> str:
    """Return a new token with scopes, by default all."""
    return tokens.create(user, name="test", scopes=scopes or SCOPES)[1]


def bearer(user: User, *scopes: str) -> dict[str, str]:
    """Return the header with a new token."""
    return {"Authorization": f"Bearer {token(user, *scopes)}"}
