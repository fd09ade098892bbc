"""Problem objects (RFC 9457): the answer to every refused request under /api/."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views import defaults
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

CONTENT_TYPE = "application/problem+json"


def problem(status: int, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """Return a problem object; `errors` names the invalid fields, if any."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": errors or [],
    }


def problem_response(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception of an API view (REST_FRAMEWORK["EXCEPTION_HANDLER"])."""
    response = exception_handler(exc, context)
    if response is None:
        return None
    errors: list[dict[str, str]] = []
    if isinstance(exc, ValidationError):
        errors = list(_field_errors(exc.detail))
        detail = " ".join(
            f"{error['field']}: {error['message']}" if error["field"] else error["message"]
            for error in errors
        )
    elif isinstance(exc, Http404) and exc.args:
        detail = str(exc)
    else:
        detail = str(response.data.get("detail", ""))
    response.data = problem(response.status_code, detail, errors)
    response.content_type = CONTENT_TYPE
    context["request"].accepted_renderer = JSONRenderer()  # whatever the view itself renders
    context["request"].accepted_media_type = JSONRenderer.media_type
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_api(request):
        return answer(HTTPStatus.BAD_REQUEST, "The request could not be read.")
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_api(request):
        return answer(HTTPStatus.NOT_FOUND, f"There is nothing at {request.path}.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    if is_api(request):
        return answer(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side.")
    return defaults.server_error(request)


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def answer(status: HTTPStatus, detail: str) -> HttpResponse:
    """Return a problem as a response outside of API views."""
    return JsonResponse(problem(status, detail), status=status, content_type=CONTENT_TYPE)


def _field_errors(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    """Yield the messages of a validation error, nested fields joined by dots."""
    if isinstance(detail, Mapping):
        for name, below in detail.items():
            inner = "" if name == "non_field_errors" else str(name)
            yield from _field_errors(below, ".".join(filter(None, (field, inner))))
    elif isinstance(detail, list):
        for position, below in enumerate(detail):
            is_message = not isinstance(below, Mapping | list)
            yield from _field_errors(below, field if is_message else f"{field}.{position}")
    else:
        yield {"field": field, "message": str(detail)}
