"""The requests to /api/billing/stripe/."""

from typing import Any

from rest_framework import serializers

from analytics.calculations.records import MAX_NAME
from billing.api.fields import TextField, WholeNumberField
from common.api.unusable import unusable_fields
from common.calculations.currency import DECIMALS

_LARGEST_QUANTITY = 999_999
_MOST_ITEMS = 20  # of a subscription at Stripe


class PersonQuery(serializers.Serializer):
    distinct_id = TextField(max_length=MAX_NAME, help_text="Any distinct id of the person.")


class PriceFields(serializers.Serializer):
    plan = TextField(
        required=False, max_length=50, help_text="Slug of a plan: sells its first price."
    )
    price = TextField(required=False, max_length=255, help_text="Or a Stripe price.")


class LineFields(PriceFields):
    quantity = WholeNumberField(
        required=False,
        min_value=1,
        max_value=_LARGEST_QUANTITY,
        help_text="Default 1. Metered prices have none.",
    )


class ItemBody(LineFields):
    def to_internal_value(self, data: Any) -> Any:
        if errors := unusable_fields(data, self.fields):
            raise serializers.ValidationError(errors)
        return super().to_internal_value(data)


class CheckoutBody(PersonQuery, LineFields):
    items = ItemBody(
        many=True,
        required=False,
        allow_empty=False,
        max_length=_MOST_ITEMS,  # type: ignore[call-arg]  # of the list
        help_text="Several prices, licensed and metered, instead of a plan or price.",
    )
    success_url = serializers.URLField(required=False, help_text="Default: a page of Plumbline.")
    cancel_url = serializers.URLField(required=False)
    trial_days = WholeNumberField(required=False, min_value=1, max_value=730)
    allow_promotion_codes = serializers.BooleanField(default=False)
    currency = serializers.ChoiceField(
        choices=sorted(DECIMALS), required=False, help_text="For a price with several currencies."
    )


class PortalBody(PersonQuery):
    return_url = serializers.URLField(required=False)


class SubscriptionBody(PersonQuery):
    subscription = TextField(
        required=False, max_length=255, help_text="Id; required if the person has several."
    )


class ChangeBody(SubscriptionBody, PriceFields):
    item = TextField(required=False, max_length=255, help_text="Id; required if there are several.")
    quantity = WholeNumberField(required=False, min_value=0, max_value=_LARGEST_QUANTITY)
    preview = serializers.BooleanField(default=False, help_text="Only return what it would cost.")
    proration_behavior = serializers.ChoiceField(
        choices=["create_prorations", "always_invoice", "none"], default="create_prorations"
    )
    proration_date = WholeNumberField(
        required=False, min_value=1, help_text="Unix seconds, from the preview."
    )


class CancelBody(SubscriptionBody):
    at = serializers.ChoiceField(choices=["period_end", "now"])


class InvoicesQuery(PersonQuery):
    limit = serializers.IntegerField(default=20, min_value=1, max_value=100)
