"""The endpoints below /api/billing/stripe/: checkout, portal, subscriptions and invoices."""

import hashlib
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.calculations.records import MAX_NAME
from billing.api.stripe_requests import (
    CancelBody,
    ChangeBody,
    CheckoutBody,
    InvoicesQuery,
    PersonQuery,
    PortalBody,
    SubscriptionBody,
)
from billing.api.stripe_responses import (
    InvoicesSerializer,
    PreviewSerializer,
    SessionSerializer,
    SubscriptionsSerializer,
    invoice_json,
    preview_json,
    subscription_json,
)
from billing.api.usage import IDEMPOTENCY_HEADER
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.limits import plans
from billing.stripe import gateway, idempotency, sessions, subscription_changes, subscriptions
from billing.stripe.idempotency import IdempotencyKey, KeyedResponse
from common.api.endpoint import Endpoint

RETRY_AFTER = 30  # seconds
_LINE = ("plan", "price", "quantity")
_KEY = OpenApiParameter(
    IDEMPOTENCY_HEADER,
    location=OpenApiParameter.HEADER,
    required=False,
    description="A retry with the same key gets the same response and is not executed again.",
)


class StripeRequestRefused(APIException):
    """Refused by Stripe, or in conflict with the person's subscriptions."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status_code = status
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.wait = RETRY_AFTER


class StripeView(Endpoint):
    """Executes a request once per idempotency key; Stripe's errors become problem objects."""

    refusals = [
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.CONFLICT,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ]

    def execute(self, request: Request, act: Callable[[str], Any]) -> Response:
        """Respond with the result of `act`, which gets the idempotency key for Stripe."""
        try:
            response = self._once(request, act)
        except subscriptions.InvalidSubscriptionRequest as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from error
        except (subscriptions.SubscriptionConflict, idempotency.InProgress) as error:
            raise StripeRequestRefused(HTTPStatus.CONFLICT, str(error)) from error
        except UnusableStripeObject as error:
            text = f"The subscription cannot be used as stored: {error}."
            raise StripeRequestRefused(HTTPStatus.CONFLICT, text) from error
        except idempotency.IdempotencyKeyReused as error:
            raise StripeRequestRefused(
                HTTPStatus.CONFLICT, f"{IDEMPOTENCY_HEADER}: {error}"
            ) from error
        except gateway.StripeProblem as problem:
            if problem.status == HTTPStatus.BAD_REQUEST:
                field = problem.field or "non_field_errors"
                raise serializers.ValidationError({field: [str(problem)]}) from problem
            raise StripeRequestRefused(problem.status, str(problem)) from problem
        return Response(response.data, status=response.status)

    def _once(self, request: Request, act: Callable[[str], Any]) -> KeyedResponse:
        key = request.headers.get(IDEMPOTENCY_HEADER, "")
        if not key or request.method != "POST":
            return KeyedResponse(HTTPStatus.OK, act(""))
        if len(key) > 200:
            raise subscriptions.InvalidSubscriptionRequest(
                IDEMPOTENCY_HEADER, "Must be at most 200 characters long."
            )
        fingerprinted = json.dumps([request.path, request.data], sort_keys=True).encode()
        # A header cannot hold everything that people use as a key, and has at most 255 characters.
        digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
        at_stripe = f"plumbline-{request.user.pk}-{digest}"
        return idempotency.once(
            IdempotencyKey(cast("int", request.user.pk), key),
            fingerprinted,
            lambda: KeyedResponse(HTTPStatus.OK, act(at_stripe)),
            distinct_id=_distinct_id(request.data),
        )


class CheckoutSessionView(StripeView):
    """A checkout session, where a person without a subscription buys one."""

    required_permission = "billing.change_stripecustomer"
    body_class = CheckoutBody

    @extend_schema(responses=SessionSerializer, parameters=[_KEY])
    def post(self, request: Request) -> Response:
        fields = self.body

        def act(key: str) -> Any:
            options = dict(fields)
            distinct_id = options.pop("distinct_id")
            person = subscriptions.proved_person_of(distinct_id)
            lines = _lines(options)
            session = sessions.checkout_session(person, distinct_id, lines, key=key, **options)
            return SessionSerializer(session).data

        return self.execute(request, act)


class PortalSessionView(StripeView):
    """A session of Stripe's customer portal: cards, invoices, cancellation."""

    required_permission = "billing.change_stripecustomer"
    body_class = PortalBody

    @extend_schema(responses=SessionSerializer, parameters=[_KEY])
    def post(self, request: Request) -> Response:
        fields = self.body

        def act(key: str) -> Any:
            person = subscriptions.proved_person_of(fields["distinct_id"])
            back_to = fields.get("return_url", "")
            session = sessions.portal_session(person, back_to=back_to, key=key)
            return SessionSerializer(session).data

        return self.execute(request, act)


class SubscriptionView(StripeView):
    """A person's plan and subscriptions as stored, without calling Stripe."""

    required_permission = "billing.view_stripecustomer"
    query_class = PersonQuery

    @extend_schema(responses=SubscriptionsSerializer)
    def get(self, request: Request) -> Response:
        query = self.query

        def act(_key: str) -> Any:
            person = subscriptions.proved_person_of(query["distinct_id"])
            session = sorted(
                subscriptions.all_of(person), key=lambda row: row.get("created") or 0, reverse=True
            )
            return {
                "plan": plans.plan_of(person.pk).slug,
                "customers": gateway.customer_ids_of(person.pk),
                "subscriptions": [subscription_json(row) for row in session],
            }

        return self.execute(request, act)


class ChangePlanView(StripeView):
    """Change plan, price or quantity; with `preview`, only return what it would cost."""

    required_permission = "billing.change_stripecustomer"
    body_class = ChangeBody

    @extend_schema(
        responses={200: PreviewSerializer},
        parameters=[_KEY],
        description="With `preview` the invoice of the change, otherwise the changed subscription.",
    )
    def post(self, request: Request) -> Response:
        fields = self.body

        def act(key: str) -> Any:
            person = subscriptions.proved_person_of(fields["distinct_id"])
            subscription = subscriptions.requested(person, fields.get("subscription"))
            change, item = _change(fields), fields.get("item")
            if fields["preview"]:
                return preview_json(
                    subscription_changes.preview(subscription, change, item=item), change
                )
            return subscription_json(
                subscription_changes.change_plan(subscription, change, item=item, key=key)
            )

        return self.execute(request, act)


class CancelView(StripeView):
    """Cancel a subscription at the end of the paid period, or now."""

    required_permission = "billing.change_stripecustomer"
    body_class = CancelBody

    @extend_schema(responses=SubscriptionsSerializer, parameters=[_KEY])
    def post(self, request: Request) -> Response:
        fields = self.body

        def act(key: str) -> Any:
            person = subscriptions.proved_person_of(fields["distinct_id"])
            subscription = subscriptions.requested(person, fields.get("subscription"))
            return subscription_json(
                subscription_changes.cancel(subscription, now=fields["at"] == "now", key=key)
            )

        return self.execute(request, act)


class ResumeView(StripeView):
    """Withdraw a scheduled cancellation, or resume a paused subscription."""

    required_permission = "billing.change_stripecustomer"
    body_class = SubscriptionBody

    @extend_schema(responses=SubscriptionsSerializer, parameters=[_KEY])
    def post(self, request: Request) -> Response:
        fields = self.body

        def act(key: str) -> Any:
            person = subscriptions.proved_person_of(fields["distinct_id"])
            subscription = subscriptions.requested(person, fields.get("subscription"))
            return subscription_json(subscription_changes.resume(subscription, key=key))

        return self.execute(request, act)


class InvoicesView(StripeView):
    """A person's stored invoices, newest first."""

    required_permission = "billing.view_stripecustomer"
    query_class = InvoicesQuery

    @extend_schema(responses=InvoicesSerializer)
    def get(self, request: Request) -> Response:
        query = self.query

        def act(_key: str) -> Any:
            person = subscriptions.proved_person_of(query["distinct_id"])
            session = gateway.invoices(gateway.customer_ids_of(person.pk))
            newest = sorted(session, key=lambda row: row.get("created") or 0, reverse=True)
            return {"invoices": [invoice_json(row) for row in newest[: query["limit"]]]}

        return self.execute(request, act)


def _distinct_id(data: Any) -> str:
    distinct_id = data.get("distinct_id") if isinstance(data, dict) else None
    return distinct_id[:MAX_NAME] if isinstance(distinct_id, str) else ""


def _lines(options: dict[str, Any]) -> list[sessions.CheckoutLine]:
    """Take what a checkout sells out of its options."""
    single = {name: options.pop(name) for name in _LINE if name in options}
    items = options.pop("items", None)
    if items and single:
        raise subscriptions.InvalidSubscriptionRequest(
            "items", "Provide items, or a plan or price, not both."
        )
    return [
        sessions.checkout_line(
            subscriptions.price_id_of(plan=item.get("plan"), price=item.get("price")),
            item.get("quantity"),
        )
        for item in items or [single]
    ]


def _change(fields: dict[str, Any]) -> subscription_changes.SubscriptionChange:
    has_price = fields.get("plan") or fields.get("price")
    if not has_price and fields.get("quantity") is None:
        raise subscriptions.InvalidSubscriptionRequest(
            "plan", "Provide a plan, a price or a quantity."
        )
    return subscription_changes.SubscriptionChange(
        price_id=subscriptions.price_id_of(plan=fields.get("plan"), price=fields.get("price"))
        if has_price
        else None,
        quantity=fields.get("quantity"),
        proration_behavior=fields["proration_behavior"],
        proration_date=fields.get("proration_date"),
    )
