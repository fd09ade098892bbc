"""WSGI entry point of the web processes: the front door for SDKs, and Django for people."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Pages on twelve threads, capture on four and its commits, /readyz.
os.environ.setdefault("PLUMBLINE_DB_POOL", "18")

PROBES = frozenset({"/livez", "/readyz"})

_django = get_wsgi_application()

# Django has to be set up first; what follows is loaded now, so that no request waits for it.
from analytics.calculations import ordinary  # noqa: E402, F401
from analytics.capture import front_door  # noqa: E402
from common.client_address import client_network  # noqa: E402, F401  (the server asks for it)
from config import urls  # noqa: E402, F401


def lane_of(path: str) -> str:
    """Return the lane of a path: slow pages hold up neither probes nor capture."""
    if path in PROBES:
        return path
    return "capture" if front_door.serves(path) else ""


def application(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes] | None:
    """Answer capture requests before Django's stack, everything else through it."""
    if front_door.serves(environ["PATH_INFO"]):
        return front_door.application(environ, start_response)
    return _django(environ, start_response)
