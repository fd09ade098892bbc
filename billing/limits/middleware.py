"""Enforce usage limits on the product's endpoints, before they do anything."""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.views import APIView

from billing.calculations.usage import Standing
from billing.limits import usage_limits, usage_notices, usage_prompts
from billing.limits.limited_paths import LimitedPath, limited_paths
from billing.limits.usage_limits import Answer, Unknown
from common import formatting
from common.api.problems import CONTENT_TYPE, problem

logger = logging.getLogger(__name__)

View = Callable[[HttpRequest], HttpResponseBase]


class UsageLimitMiddleware:
    """Reserve one of a meter for each request to a limited path; refuse it beyond a hard limit.

    The event that the product sends settles the reservation; a request that fails gives it back.
    Capture is never limited: it is answered before Django.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response
        self.limited = limited_paths(settings.PLUMBLINE_LIMITED_PATHS)
        if not self.limited:
            raise MiddlewareNotUsed

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        rule = next((rule for rule in self.limited if rule.is_about(request)), None)
        if rule is None or not _is_authenticated(request):  # its view refuses it
            return self.get_response(request)
        distinct_id = rule.distinct_id(request)
        if not distinct_id:
            return _refused(HTTPStatus.BAD_REQUEST, _missing(rule), field=rule.person)
        try:
            answer = usage_limits.reserve(distinct_id, rule.meter, now=timezone.now())
        except Unknown as error:
            return self._unlimited(request, error)
        usage_notices.request(answer.person.pk, [answer.standing])
        if not answer.allowed:
            return _payment_required(answer)
        return self._counted(request, answer)

    def _unlimited(self, request: HttpRequest, error: Unknown) -> HttpResponseBase:
        """Let pass who has done nothing yet: their first events may still be on their way."""
        if error.field != "distinct_id":
            logger.error("PLUMBLINE_LIMITED_PATHS: %s Nothing is limited.", error)
        return self.get_response(request)

    def _counted(self, request: HttpRequest, answer: Answer) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            if answer.reservation:
                usage_limits.release(answer.reservation.pk, now=timezone.now())
            return response
        for name, value in _headers(answer).items():
            response.headers[name] = value
        return response


def _is_authenticated(request: HttpRequest) -> bool:
    """Whether the API knows who asks, so that nobody else learns or uses up what is left."""
    try:
        return bool(APIView().initialize_request(request).user.is_authenticated)
    except APIException:
        return False


def _headers(answer: Answer) -> dict[str, str]:
    """Return where the person stands after this request; a prompt from 80 % on."""
    standing = _afterwards(answer)
    if standing.limit is None or standing.percent is None:
        return {}
    headers = {
        "X-Usage-Meter": standing.meter.slug,
        "X-Usage-Limit": str(standing.limit.amount),
        "X-Usage-Used": str(formatting.plain(standing.usage.taken)),
        "X-Usage-State": standing.state,
    }
    if standing.window.end:
        headers["X-Usage-Resets-At"] = standing.window.end.isoformat()
    if prompt := usage_prompts.prompt(answer, standing):
        headers["X-Usage-Prompt"] = json.dumps(asdict(prompt), cls=DjangoJSONEncoder)
    return headers


def _afterwards(answer: Answer) -> Standing:
    usage = answer.standing.usage
    return replace(answer.standing, usage=replace(usage, reserved=usage.reserved + answer.amount))


def _payment_required(answer: Answer) -> HttpResponse:
    facts = usage_prompts.facts(answer)
    detail = usage_prompts.message(answer.standing, answer.suggested)
    return _refused(HTTPStatus.PAYMENT_REQUIRED, detail, **asdict(facts))


def _missing(rule: LimitedPath) -> str:
    place, _, name = rule.person.partition(":")
    where = {"header": "The header", "query": "The query parameter", "json": "The JSON field"}
    return f"{where[place]} {name} has to name the person."


def _refused(status: HTTPStatus, detail: str, *, field: str = "", **more: object) -> HttpResponse:
    errors = [{"field": field.partition(":")[2], "message": detail}] if field else []
    return JsonResponse(
        problem(status, detail, errors) | more, status=status, content_type=CONTENT_TYPE
    )
