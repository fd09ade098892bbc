"""GET /api/billing/usage, POST /api/billing/usage/check, DELETE .../usage/reservations/<id>."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.calculations.records import MAX_NAME
from analytics.people import proving
from billing.api.fields import TextField, UsageNumberField, WholeNumberField
from billing.calculations.usage import MeterUsage, UsageState
from billing.limits import reservations, usage_limits, usage_notices, usage_prompts
from billing.limits.reservations import LARGEST_REQUEST
from billing.limits.usage_limits import UnknownName, UsageDecision
from billing.stripe.idempotency import IdempotencyKey, IdempotencyKeyReused
from common.api.endpoint import Endpoint

IDEMPOTENCY_HEADER = "Idempotency-Key"


class UsageConflict(APIException):
    status_code = status.HTTP_409_CONFLICT


class UsageQuery(serializers.Serializer):
    distinct_id = TextField(max_length=MAX_NAME, help_text="Any distinct id of the person.")


class CheckBody(UsageQuery):
    meter = TextField(max_length=50, help_text="Slug of a meter, such as workflow_runs.")
    amount = WholeNumberField(
        default=1, min_value=1, max_value=LARGEST_REQUEST, help_text="Number of units."
    )
    reserve = serializers.BooleanField(
        default=False, help_text="Hold the allowed amount until its events arrive."
    )
    idempotency_key = TextField(
        required=False,
        max_length=255,
        help_text=f"Retries with the same key reserve once. Or as header {IDEMPOTENCY_HEADER}.",
    )


class PlanSerializer(serializers.Serializer):
    slug = serializers.CharField()
    name = serializers.CharField()
    features = serializers.ListField(child=serializers.CharField())


class UsageFields(serializers.Serializer):
    meter = serializers.CharField(source="meter.slug")
    used = UsageNumberField(source="usage.used")
    reserved = UsageNumberField(
        source="usage.reserved", help_text="Granted; its events have not arrived yet."
    )
    limit = serializers.IntegerField(
        source="limit.amount", default=None, allow_null=True, help_text="null: no limit."
    )
    hard = serializers.BooleanField(
        source="limit.hard", default=False, help_text="Whether requests over the limit are refused."
    )
    remaining = UsageNumberField(
        allow_null=True, help_text="Still allowed, including grace; null: nothing blocks."
    )
    percent = serializers.FloatField(
        allow_null=True, help_text="Used and reserved, in % of the limit; null: no limit."
    )
    state = serializers.ChoiceField(
        choices=[*UsageState], help_text="warning: from 80 %; reached: 100 %."
    )
    resets_at = serializers.DateTimeField(
        source="window.end", allow_null=True, help_text="null: never."
    )


class MeterUsageSerializer(UsageFields):
    name = serializers.CharField(source="meter.name")
    ignored_events = serializers.IntegerField(
        source="usage.ignored",
        help_text="Events whose property is not a positive number: counted as 0.",
    )
    claimed_events = serializers.IntegerField(
        source="usage.claimed",
        help_text="Events that are only claimed, not counted because the person has a proved id.",
    )


class UsageSerializer(serializers.Serializer):
    plan = PlanSerializer()
    meters = MeterUsageSerializer(source="meter_usages", many=True)
    unmapped_prices = serializers.ListField(
        child=serializers.CharField(),
        help_text="Prices this person pays that are not mapped to a plan.",
    )


class ReservationSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    expires_at = serializers.DateTimeField()


class PromptSerializer(serializers.Serializer):
    """A banner for the product."""

    meter = serializers.CharField()
    limit = serializers.IntegerField(allow_null=True)
    used = serializers.FloatField()
    reserved = serializers.FloatField(help_text="Granted; its events have not arrived yet.")
    resets_at = serializers.DateTimeField(allow_null=True)
    current_plan = serializers.CharField()
    suggested_plan = serializers.CharField(allow_null=True)
    upgrade_url = serializers.CharField(
        help_text="A checkout link, valid for 72 hours; empty without Stripe."
    )
    state = serializers.ChoiceField(choices=[*UsageState])
    percent = serializers.FloatField()
    title = serializers.CharField()
    message = serializers.CharField()


class CheckSerializer(UsageFields):
    """The decision. Usage is as it was before this request, without a new reservation."""

    allowed = serializers.BooleanField()
    amount = serializers.IntegerField()
    current_plan = serializers.CharField()
    suggested_plan = serializers.CharField(allow_null=True)
    upgrade_url = serializers.CharField(help_text="Empty below 80 %.")
    reservation = ReservationSerializer(allow_null=True)
    prompt = PromptSerializer(allow_null=True, help_text="What to show, from 80 % on.")


class UsageView(Endpoint):
    """A person's usage of every meter, against the limits of their plan."""

    required_permission = "billing.view_usagereservation"
    query_class = UsageQuery

    @extend_schema(responses=UsageSerializer)
    def get(self, _request: Request) -> Response:
        distinct_id = self.query["distinct_id"]
        proving.prove(distinct_id)
        try:
            account = usage_limits.account_of(distinct_id, now=timezone.now())
        except UnknownName as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from error
        return Response(UsageSerializer(account).data)


class CheckView(Endpoint):
    """May this person use `amount` more? The status is 200 either way: see `allowed`."""

    required_permission = "billing.add_usagereservation"
    body_class = CheckBody
    refusals = [HTTPStatus.CONFLICT]

    @extend_schema(
        operation_id="billing_usage_check",
        responses=CheckSerializer,
        parameters=[
            OpenApiParameter(IDEMPOTENCY_HEADER, location=OpenApiParameter.HEADER, required=False)
        ],
    )
    def post(self, request: Request) -> Response:
        try:
            decision = _decision(request, **self.body)
        except UnknownName as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from error
        except IdempotencyKeyReused as error:
            raise UsageConflict(f"idempotency_key: {error}") from error
        usage_notices.request(decision.person.pk, [decision.meter_usage])
        return Response(_body(decision))

    def read_body(self, request: Request) -> Any:
        key = request.headers.get(IDEMPOTENCY_HEADER)
        if key is None or not isinstance(request.data, dict):
            return request.data
        return {"idempotency_key": key} | request.data


class ReservationView(Endpoint):
    """Release a reservation that will not be used."""

    required_permission = "billing.delete_usagereservation"

    @extend_schema(operation_id="billing_usage_release", responses={204: None})
    def delete(self, _request: Request, reservation_id: UUID) -> Response:
        if not reservations.release(reservation_id, now=timezone.now()):
            raise Http404(f"Reservation {reservation_id} does not exist.")
        return Response(status=status.HTTP_204_NO_CONTENT)


def _decision(
    request: Request,
    distinct_id: str,
    meter: str,
    amount: int,
    *,
    reserve: bool,
    idempotency_key: str | None = None,
) -> UsageDecision:
    proving.prove(distinct_id)
    now = timezone.now()
    if not reserve:
        return usage_limits.check(distinct_id, meter, amount, now=now)
    key = (
        IdempotencyKey(cast("int", request.user.pk), idempotency_key)
        if idempotency_key is not None
        else None
    )
    return reservations.reserve(distinct_id, meter, amount, now=now, idempotency_key=key)


def _body(decision: UsageDecision) -> dict[str, Any]:
    meter_usage: MeterUsage = decision.meter_usage
    prompt = usage_prompts.prompt(decision)
    return {
        "allowed": decision.allowed,
        "amount": decision.amount,
        **UsageFields(meter_usage).data,
        "current_plan": meter_usage.plan.slug,
        "suggested_plan": prompt.suggested_plan if prompt else None,
        "upgrade_url": prompt.upgrade_url if prompt else "",
        "reservation": ReservationSerializer(decision.reservation).data
        if decision.reservation
        else None,
        "prompt": PromptSerializer(asdict(prompt)).data if prompt else None,
    }
