"""Refuse the character U+0000, which no text in PostgreSQL can contain."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase, QueryDict

_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}

Handler = Callable[[HttpRequest], HttpResponseBase]


def refuse_nul(get_response: Handler) -> Handler:
    """Answer 400 to a path, query or form with it: every id and filter would fail in the database.

    The API names the parameter itself, and checks JSON where it is parsed (`json_reading`).
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        texts = [request.path]
        if not request.path.startswith("/api/"):
            texts += _values(request.GET)
            texts += _values(request.POST) if request.content_type in _FORMS else []
        if any("\0" in text for text in texts):
            raise BadRequest("U+0000 is not a valid character.")
        return get_response(request)

    return middleware


def _values(query: QueryDict) -> list[str]:
    return [text for name, values in query.lists() for text in (name, *values)]
