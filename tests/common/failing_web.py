"""The WSGI application, where some requests fail with an error that quotes them."""

from collections.abc import Callable
from typing import Any

from config import wsgi


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    if environ["PATH_INFO"].startswith("/fails/"):
        raise ValueError(environ["PATH_INFO"], environ["QUERY_STRING"])
    return wsgi.application(environ, start_response)
