"""The WSGI application, where every request fails with an error that quotes it."""

from typing import Any

from config.wsgi import application, front_door

__all__ = ["application"]


def fail(environ: dict[str, Any], *_: object) -> Any:
    raise ValueError(environ["QUERY_STRING"])


front_door._v0 = fail  # type: ignore[assignment]
