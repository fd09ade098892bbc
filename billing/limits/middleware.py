"""Enforce usage limits on the product's endpoints, before their views run."""

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

from analytics.people import proving
from billing.calculations.usage import MeterUsage
from billing.limits import reservations, usage_notices, usage_prompts
from billing.limits.limited_paths import LimitedPath, limited_paths
from billing.limits.usage_limits import UnknownName, UsageDecision
from common import formatting
from common.api.access import refusal
from common.api.problems import CONTENT_TYPE, problem

logger = logging.getLogger(__name__)

View = Callable[[HttpRequest], HttpResponseBase]
REQUIRED_PERMISSION = "billing.add_usagereservation"


class UsageLimitMiddleware:
    """Reserve one unit of a meter for each request to a limited path; refuse it over a hard limit.

    The event that the product sends settles the reservation; a failed request releases it.
    Capture is never limited: it is answered before Django.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response
        self.limited = limited_paths(settings.PLUMBLINE_LIMITED_PATHS)
        if not self.limited:
            raise MiddlewareNotUsed

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        rule = next((rule for rule in self.limited if rule.matches(request)), None)
        if rule is None or not _may_use(request):  # the view refuses it
            return self.get_response(request)
        distinct_id = rule.distinct_id(request)
        if not distinct_id:
            return _refused(HTTPStatus.BAD_REQUEST, _missing(rule), field=rule.person)
        proving.prove(distinct_id)
        try:
            decision = reservations.reserve(distinct_id, rule.meter, now=timezone.now())
        except UnknownName as error:
            return self._unlimited(request, error)
        usage_notices.request(decision.person.pk, [decision.meter_usage])
        if not decision.allowed:
            return _payment_required(decision)
        return self._counted(request, decision)

    def _unlimited(self, request: HttpRequest, error: UnknownName) -> HttpResponseBase:
        """Let an unknown person pass: their first events may still be in the inbox."""
        if error.field != "distinct_id":
            logger.error("PLUMBLINE_LIMITED_PATHS: %s No limit is enforced.", error)
        return self.get_response(request)

    def _counted(self, request: HttpRequest, decision: UsageDecision) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            if decision.reservation:
                reservations.release(decision.reservation.pk, now=timezone.now())
            return response
        for name, value in _headers(decision).items():
            response.headers[name] = value
        return response


def _may_use(request: HttpRequest) -> bool:
    """Whether the caller may use units, so that no one else sees or uses up what remains."""
    try:
        return not refusal(APIView().initialize_request(request), REQUIRED_PERMISSION)
    except APIException:
        return False


def _headers(decision: UsageDecision) -> dict[str, str]:
    """Return the usage after this request as headers, with a prompt from 80 % on."""
    meter_usage = _usage_after(decision)
    if meter_usage.limit is None or meter_usage.percent is None:
        return {}
    headers = {
        "X-Usage-Meter": meter_usage.meter.slug,
        "X-Usage-Limit": str(meter_usage.limit.amount),
        "X-Usage-Used": str(formatting.plain(meter_usage.usage.taken)),
        "X-Usage-State": meter_usage.state,
    }
    if meter_usage.window.end:
        headers["X-Usage-Resets-At"] = meter_usage.window.end.isoformat()
    if prompt := usage_prompts.prompt(decision, meter_usage):
        headers["X-Usage-Prompt"] = json.dumps(asdict(prompt), cls=DjangoJSONEncoder)
    return headers


def _usage_after(decision: UsageDecision) -> MeterUsage:
    usage = decision.meter_usage.usage
    return replace(
        decision.meter_usage, usage=replace(usage, reserved=usage.reserved + decision.amount)
    )


def _payment_required(decision: UsageDecision) -> HttpResponse:
    facts = usage_prompts.facts(decision)
    detail = usage_prompts.message(decision.meter_usage, decision.suggested)
    return _refused(HTTPStatus.PAYMENT_REQUIRED, detail, **asdict(facts))


def _missing(rule: LimitedPath) -> str:
    source, _, name = rule.person.partition(":")
    where = {"header": "The header", "query": "The query parameter", "json": "The JSON field"}
    return f"{where[source]} {name} must name the person."


def _refused(status: HTTPStatus, detail: str, *, field: str = "", **more: object) -> HttpResponse:
    errors = [{"field": field.partition(":")[2], "message": detail}] if field else []
    return JsonResponse(
        problem(status, detail, errors) | more, status=status, content_type=CONTENT_TYPE
    )
