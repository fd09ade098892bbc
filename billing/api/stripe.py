"""The endpoints below /api/billing/stripe/: what a person buys, has, changes and ends."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.parameters import parsed
from analytics.calculations.records import MAX_NAME
from billing.api.fields import TextField, WholeNumberField
from billing.api.stripe_answers import (
    InvoicesSerializer,
    PreviewSerializer,
    SubscriptionsSerializer,
    invoice_shown,
    preview_shown,
    subscription_shown,
)
from billing.api.usage import IDEMPOTENCY_HEADER
from billing.limits import plans
from billing.stripe import gateway, idempotency, subscriptions
from billing.stripe.idempotency import KeyedResponse
from common.calculations.currency import DECIMALS

RETRY_AFTER = 30  # seconds
_KEY = OpenApiParameter(
    IDEMPOTENCY_HEADER,
    location=OpenApiParameter.HEADER,
    required=False,
    description="A request that comes again with the same key is answered alike, not done again.",
)
_LARGEST_QUANTITY = 999_999


class StripeRequestRefused(APIException):
    """Refused by Stripe, or by what the person has."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status_code = status
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.wait = RETRY_AFTER


class PersonQuery(serializers.Serializer):
    distinct_id = TextField(max_length=MAX_NAME, help_text="Any id the person is known by.")


class PriceBody(PersonQuery):
    plan = TextField(required=False, max_length=50, help_text="Slug of a plan: its first price.")
    price = TextField(required=False, max_length=255, help_text="Or a Stripe price.")


class CheckoutBody(PriceBody):
    quantity = WholeNumberField(default=1, min_value=1, max_value=_LARGEST_QUANTITY)
    success_url = serializers.URLField(required=False, help_text="Default: a page of ours.")
    cancel_url = serializers.URLField(required=False)
    trial_days = WholeNumberField(required=False, min_value=1, max_value=730)
    allow_promotion_codes = serializers.BooleanField(default=False)
    currency = serializers.ChoiceField(
        choices=sorted(DECIMALS), required=False, help_text="Of a price with several currencies."
    )


class PortalBody(PersonQuery):
    return_url = serializers.URLField(required=False)


class SubscriptionBody(PersonQuery):
    subscription = TextField(
        required=False, max_length=255, help_text="Which one, where they have several."
    )


class ChangeBody(SubscriptionBody, PriceBody):
    item = TextField(required=False, max_length=255, help_text="Which one, if there are several.")
    quantity = WholeNumberField(required=False, min_value=0, max_value=_LARGEST_QUANTITY)
    preview = serializers.BooleanField(default=False, help_text="Only say what it would cost.")
    proration_behavior = serializers.ChoiceField(
        choices=["create_prorations", "always_invoice", "none"], default="create_prorations"
    )
    proration_date = WholeNumberField(
        required=False, min_value=1, help_text="Unix seconds, as the preview told."
    )


class CancelBody(SubscriptionBody):
    at = serializers.ChoiceField(choices=["period_end", "now"])


class InvoicesQuery(PersonQuery):
    limit = serializers.IntegerField(default=20, min_value=1, max_value=100)


class SessionSerializer(serializers.Serializer):
    id = serializers.CharField()
    url = serializers.URLField(help_text="Send the person there.")


class StripeView(APIView):
    """Does what is asked once, and answers Stripe's errors as problem objects."""

    def do(self, request: Request, act: Callable[[str], Any]) -> Response:
        """Answer what `act` returns; it is given the key that Stripe is to have."""
        try:
            answer = self._once(request, act)
        except subscriptions.InvalidSubscriptionRequest as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from error
        except (subscriptions.SubscriptionConflict, idempotency.InProgress) as error:
            raise StripeRequestRefused(HTTPStatus.CONFLICT, str(error)) from error
        except idempotency.IdempotencyKeyReused as error:
            raise StripeRequestRefused(
                HTTPStatus.CONFLICT, f"{IDEMPOTENCY_HEADER}: {error}"
            ) from error
        except gateway.StripeProblem as problem:
            if problem.status == HTTPStatus.BAD_REQUEST:
                field = problem.field or "non_field_errors"
                raise serializers.ValidationError({field: [str(problem)]}) from problem
            raise StripeRequestRefused(problem.status, str(problem)) from problem
        return Response(answer.data, status=answer.status)

    def _once(self, request: Request, act: Callable[[str], Any]) -> KeyedResponse:
        key = request.headers.get(IDEMPOTENCY_HEADER, "")
        if not key or request.method != "POST":
            return KeyedResponse(HTTPStatus.OK, act(""))
        if len(key) > 200:
            raise subscriptions.InvalidSubscriptionRequest(
                IDEMPOTENCY_HEADER, "It is longer than 200 characters."
            )
        asked = json.dumps([request.path, request.data], sort_keys=True).encode()
        return idempotency.once(
            key, asked, lambda: KeyedResponse(HTTPStatus.OK, act(f"plumbline-{key}"))
        )

    def given(self, request: Request, body: type[serializers.Serializer]) -> dict[str, Any]:
        serializer = body(data=request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class CheckoutSessionView(StripeView):
    """A checkout session: where a person without a subscription buys one."""

    @extend_schema(request=CheckoutBody, responses=SessionSerializer, parameters=[_KEY])
    def post(self, request: Request) -> Response:
        given = self.given(request, CheckoutBody)

        def act(key: str) -> Any:
            wanted = dict(given)
            distinct_id = wanted.pop("distinct_id")
            person = subscriptions.person_of(distinct_id)
            price_id = subscriptions.price_id_of(
                plan=wanted.pop("plan", None), price=wanted.pop("price", None)
            )
            found = subscriptions.checkout_session(person, distinct_id, price_id, key=key, **wanted)
            return SessionSerializer(found).data

        return self.do(request, act)


class PortalSessionView(StripeView):
    """A session of Stripe's customer portal: cards, invoices, cancellation."""

    @extend_schema(request=PortalBody, responses=SessionSerializer, parameters=[_KEY])
    def post(self, request: Request) -> Response:
        given = self.given(request, PortalBody)

        def act(key: str) -> Any:
            person = subscriptions.person_of(given["distinct_id"])
            back_to = given.get("return_url", "")
            found = subscriptions.portal_session(person, back_to=back_to, key=key)
            return SessionSerializer(found).data

        return self.do(request, act)


class SubscriptionView(StripeView):
    """What a person has, as it is stored; Stripe is not asked."""

    @extend_schema(parameters=[PersonQuery], responses=SubscriptionsSerializer)
    def get(self, request: Request) -> Response:
        query = parsed(PersonQuery, request.query_params)

        def act(_key: str) -> Any:
            person = subscriptions.person_of(query["distinct_id"])
            found = sorted(
                subscriptions.all_of(person), key=lambda one: one.get("created") or 0, reverse=True
            )
            return {
                "plan": plans.plan_of(person.pk).slug,
                "customers": gateway.customer_ids_of(person.pk),
                "subscriptions": [subscription_shown(one) for one in found],
            }

        return self.do(request, act)


class ChangePlanView(StripeView):
    """Another plan, price or quantity; with `preview`, what it would cost."""

    @extend_schema(
        request=ChangeBody,
        responses={200: PreviewSerializer},
        parameters=[_KEY],
        description="With `preview` the invoice it would bring, else the changed subscription.",
    )
    def post(self, request: Request) -> Response:
        given = self.given(request, ChangeBody)

        def act(key: str) -> Any:
            person = subscriptions.person_of(given["distinct_id"])
            of = subscriptions.the_one(person, given.get("subscription"))
            change, item = _change(given), given.get("item")
            if given["preview"]:
                return preview_shown(subscriptions.preview(of, change, item=item), change)
            return subscription_shown(subscriptions.change_plan(of, change, item=item, key=key))

        return self.do(request, act)


class CancelView(StripeView):
    """End a subscription at the end of the period that is paid for, or now."""

    @extend_schema(request=CancelBody, responses=SubscriptionsSerializer, parameters=[_KEY])
    def post(self, request: Request) -> Response:
        given = self.given(request, CancelBody)

        def act(key: str) -> Any:
            person = subscriptions.person_of(given["distinct_id"])
            of = subscriptions.the_one(person, given.get("subscription"))
            return subscription_shown(subscriptions.cancel(of, now=given["at"] == "now", key=key))

        return self.do(request, act)


class ResumeView(StripeView):
    """Take back a cancellation that has not happened yet, or take up what is paused."""

    @extend_schema(request=SubscriptionBody, responses=SubscriptionsSerializer, parameters=[_KEY])
    def post(self, request: Request) -> Response:
        given = self.given(request, SubscriptionBody)

        def act(key: str) -> Any:
            person = subscriptions.person_of(given["distinct_id"])
            of = subscriptions.the_one(person, given.get("subscription"))
            return subscription_shown(subscriptions.resume(of, key=key))

        return self.do(request, act)


class InvoicesView(StripeView):
    """A person's invoices as they are stored, the newest first."""

    @extend_schema(parameters=[InvoicesQuery], responses=InvoicesSerializer)
    def get(self, request: Request) -> Response:
        query = parsed(InvoicesQuery, request.query_params)

        def act(_key: str) -> Any:
            person = subscriptions.person_of(query["distinct_id"])
            found = gateway.invoices(gateway.customer_ids_of(person.pk))
            newest = sorted(found, key=lambda one: one.get("created") or 0, reverse=True)
            return {"invoices": [invoice_shown(one) for one in newest[: query["limit"]]]}

        return self.do(request, act)


def _change(given: dict[str, Any]) -> subscriptions.SubscriptionChange:
    named = given.get("plan") or given.get("price")
    if not named and given.get("quantity") is None:
        raise subscriptions.InvalidSubscriptionRequest(
            "plan", "Name a plan, a price or a quantity."
        )
    return subscriptions.SubscriptionChange(
        price_id=subscriptions.price_id_of(plan=given.get("plan"), price=given.get("price"))
        if named
        else None,
        quantity=given.get("quantity"),
        proration_behavior=given["proration_behavior"],
        proration_date=given.get("proration_date"),
    )
