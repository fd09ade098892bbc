"""The e-mail backend, checked when a process starts."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend


def check() -> None:
    """Raise `ImproperlyConfigured` unless the backend exists and has what it needs; sends nothing.

    A backend may need packages and settings of its own, such as a provider's token, and raises
    whatever it likes if it lacks them.
    """
    try:
        backend = get_connection()
    except Exception as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise ImproperlyConfigured(
            f"EMAIL_BACKEND, or a setting of it: {reason}. See docs/configuration.md."
        ) from error
    if not isinstance(backend, BaseEmailBackend):
        raise ImproperlyConfigured(
            f"EMAIL_BACKEND: {settings.EMAIL_BACKEND} is not an e-mail backend."
        )
