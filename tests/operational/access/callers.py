"""Everyone who may call a URL, with the level that they have there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from analytics.models import ProjectKey
from operational.access import tokens
from operational.access.groups import GROUPS
from operational.access.scopes import SCOPES
from tests.operational.access.matrix import LEVELS, Route
from tests.staff import member
from tests.tokens import token


@dataclass(frozen=True)
class Caller:
    """`connect` returns a client; `level` is what the caller may do at a URL."""

    connect: Callable[[], Client]
    level: Callable[[Route], str]


def _session(user: User, *, enforce_csrf_checks: bool = False) -> Client:
    client = Client(raise_request_exception=False, enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(user)
    return client


def _bearer(secret: str) -> Client:
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {secret}"})


def _member_session(group: str) -> Client:
    return _session(member(group))


def _scoped(scope: str) -> Client:
    return _bearer(token(_superuser(), scope))


def _superuser() -> User:
    return User.objects.create_superuser("root")


def _expired() -> str:
    return tokens.create(_superuser(), name="", scopes=SCOPES, expires_in=timedelta(0))[1]


def _revoked() -> str:
    created, secret = tokens.create(_superuser(), name="", scopes=SCOPES)
    tokens.revoke([created.pk], now=timezone.now())
    return secret


def _service() -> str:
    user = member("Operator", "service")
    user.is_staff = False
    user.save()
    return token(user)


def _key(kind: str) -> str:
    secret = f"ph{kind[0]}_matrix"
    ProjectKey.objects.create(name=kind, kind=kind, token=secret)
    return secret


def _is_api(route: Route) -> bool:
    return route.path.startswith(("/api/", "/metrics")) and route.path != "/api/docs/"


def _of_scope(scope: str) -> Callable[[Route], str]:
    """Return the levels of a superuser's token with one scope."""
    app, action = scope.split(":")

    def level(route: Route) -> str:
        if not _is_api(route):
            return "public"
        if route.path == "/api/schema/":
            return "staff"
        if not route.path.startswith((f"/api/{app}/", "/metrics" if app == "operational" else "-")):
            return "public"
        return "owner" if action == "write" else "analyst"

    return level


def _of_service(route: Route) -> str:
    staff_only = route.path.startswith(("/api/operational/", "/metrics"))
    return "operator" if _is_api(route) and not staff_only else "public"


def _always(level: str) -> Callable[[Route], str]:
    return lambda _: level


CALLERS = {
    "anonymous": Caller(lambda: Client(raise_request_exception=False), _always("public")),
    "user who is not staff": Caller(
        lambda: _session(User.objects.create_user("eve")), _always("user")
    ),
    "staff without a group": Caller(lambda: _session(member()), _always("staff")),
    **{group: Caller(partial(_member_session, group), _always(group.lower())) for group in GROUPS},
    "superuser": Caller(lambda: _session(_superuser()), _always("owner")),
    **{
        f"token with {scope}": Caller(partial(_scoped, scope), _of_scope(scope)) for scope in SCOPES
    },
    "token of an operator who is not staff": Caller(lambda: _bearer(_service()), _of_service),
    "expired token": Caller(lambda: _bearer(_expired()), _always("public")),
    "revoked token": Caller(lambda: _bearer(_revoked()), _always("public")),
    "public project key": Caller(lambda: _bearer(_key("public")), _always("public")),
    "server project key": Caller(lambda: _bearer(_key("server")), _always("public")),
}


def may(level: str, needed: str) -> bool:
    return LEVELS.index(level) >= LEVELS.index(needed)


def without_csrf() -> Client:
    """Return the session of a superuser whose requests lack the CSRF token."""
    return _session(_superuser(), enforce_csrf_checks=True)
