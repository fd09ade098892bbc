"""Checking passwords, within the login limits."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from operational.access import limits


class LimitedBackend(ModelBackend):
    """Every way to log in with a password comes through here.

    The middleware turns `TooManyAttempts` into a page, so that it is the same for every view.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **options: Any,
    ) -> User | None:
        if request is None or username is None or password is None:
            return super().authenticate(request, username, password, **options)
        counters = limits.password_counters(request, username)
        limits.count(counters, timezone.now())
        user = super().authenticate(request, username, password, **options)
        if user is not None:
            limits.take_back(counters, timezone.now())
        return user
