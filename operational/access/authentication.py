"""Who sends an API request: the user of the token in its Authorization header."""

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed

from operational.access import tokens
from operational.models import ApiToken

PROJECT_KEYS = "phc_", "phs_"


class TokenAuthentication(KnoxTokenAuthentication):
    """Knox's, with a reason for every refused token and without deleting expired ones."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        """Return a valid token with its user; raise AuthenticationFailed with the reason."""
        now = timezone.now()
        secret = token.decode(errors="replace")
        stored = ApiToken.objects.filter(pk=hash_token(secret)).select_related("user").first()
        if stored is None:
            raise AuthenticationFailed(_invalid(secret))
        if (state := tokens.state(stored, now=now)) != "active":
            raise AuthenticationFailed(f"The token {stored.name!r} is {state}.")
        tokens.record_use(stored, now=now)
        user: User = self.validate_user(stored)[0]
        return user, stored


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of `manage.py create_token`, or one made under Access.",
        }


def _invalid(secret: str) -> str:
    if secret.startswith(PROJECT_KEYS):
        return "A project key only captures events. The API needs a token."
    return "The token does not exist."
