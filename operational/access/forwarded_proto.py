"""Behind a proxy, only its header says that a client came by https."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from redis.exceptions import RedisError

from common.calculations.health import Component, Health

_SEEN = "missing-forwarded-proto"  # when a request lacked the header, in the cache
_SHOWN_FOR = 600  # seconds
_PROBES = {"/livez", "/readyz"}  # come from the machine itself


class ForwardedProtoMiddleware:
    """Explain a missing header, where the redirect to https would lead in a circle."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        missing = "X-Forwarded-Proto" not in request.headers and not request.is_secure()
        if not (settings.SECURE_SSL_REDIRECT and missing) or request.path in _PROBES:
            return self.get_response(request)
        with suppress(RedisError):  # which the health check of Valkey reports
            cache.add(_SEEN, timezone.now(), _SHOWN_FOR)
        status = HTTPStatus.SERVICE_UNAVAILABLE
        response = render(request, "operational/forwarded_proto.html", status=status)
        response.headers["Cache-Control"] = "no-store"
        return response


def proxy(_now: datetime) -> Iterator[Component]:
    """Report requests without the header, where the deployment needs it."""
    if not settings.SECURE_SSL_REDIRECT:
        return
    try:
        seen = cache.get(_SEEN)
    except RedisError:
        return
    if seen is None:
        yield Component("proxy", Health.OK, "Requests say whether they came by https.")
        return
    yield Component(
        "proxy",
        Health.WARNING,
        "A request came without X-Forwarded-Proto and was refused.",
        seen,
        "Let the proxy send X-Forwarded-Proto, and open Plumbline through it only.",
    )
