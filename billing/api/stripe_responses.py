"""Responses about Stripe's objects: a few fields of each, times in ISO 8601."""

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from billing.calculations.stripe_price import price_of
from billing.stripe import gateway, subscriptions
from billing.stripe.subscription_changes import SubscriptionChange

Json = dict[str, Any]


class SessionSerializer(serializers.Serializer):
    id = serializers.CharField()
    url = serializers.URLField(help_text="Redirect the person to it.")


class ItemSerializer(serializers.Serializer):
    id = serializers.CharField()
    price = serializers.CharField()
    product = serializers.CharField(allow_null=True)
    name = serializers.CharField(help_text="Name of the product.")
    quantity = serializers.IntegerField(allow_null=True, help_text="null: metered.")
    unit_amount = serializers.IntegerField(allow_null=True, help_text="Minor units; null: tiered.")
    currency = serializers.CharField(allow_null=True)
    interval = serializers.CharField(allow_null=True)
    interval_count = serializers.IntegerField()


class SubscriptionSerializer(serializers.Serializer):
    id = serializers.CharField()
    status = serializers.CharField()
    created = serializers.DateTimeField(allow_null=True)
    current_period_start = serializers.DateTimeField(allow_null=True)
    current_period_end = serializers.DateTimeField(allow_null=True)
    cancel_at_period_end = serializers.BooleanField()
    cancel_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    trial_end = serializers.DateTimeField(allow_null=True)
    items = ItemSerializer(many=True)


class SubscriptionsSerializer(serializers.Serializer):
    plan = serializers.CharField(help_text="Slug of the person's plan.")
    customers = serializers.ListField(child=serializers.CharField())
    subscriptions = SubscriptionSerializer(many=True)


class LineSerializer(serializers.Serializer):
    description = serializers.CharField(allow_null=True)
    amount = serializers.IntegerField(help_text="Minor units; negative: credit.")


class PreviewSerializer(serializers.Serializer):
    """The invoice of a change; send `proration_date` with the change to get the same amount."""

    currency = serializers.CharField()
    amount_due = serializers.IntegerField(help_text="Minor units.")
    total = serializers.IntegerField(help_text="Minor units, before credit.")
    proration_date = serializers.IntegerField()
    lines = LineSerializer(many=True)


class InvoiceSerializer(serializers.Serializer):
    id = serializers.CharField()
    number = serializers.CharField(allow_null=True)
    status = serializers.CharField(allow_null=True)
    created = serializers.DateTimeField(allow_null=True)
    currency = serializers.CharField()
    total = serializers.IntegerField(allow_null=True, help_text="Minor units.")
    amount_due = serializers.IntegerField(allow_null=True)
    amount_paid = serializers.IntegerField(allow_null=True)
    hosted_invoice_url = serializers.CharField(allow_null=True)
    invoice_pdf = serializers.CharField(allow_null=True)


class InvoicesSerializer(serializers.Serializer):
    invoices = InvoiceSerializer(many=True)


def subscription_json(subscription: Json) -> Any:
    moments = ("created", "cancel_at", "ended_at", "trial_end")
    return SubscriptionSerializer(
        {
            "id": subscription["id"],
            "status": subscription.get("status"),
            "cancel_at_period_end": bool(subscription.get("cancel_at_period_end")),
            "current_period_start": subscriptions.period_of(subscription, "start"),
            "current_period_end": subscriptions.period_of(subscription, "end"),
            **{name: _moment(subscription.get(name)) for name in moments},
            "items": [_item(row) for row in subscriptions.items_of(subscription)],
        }
    ).data


def _item(row: Json) -> Json:
    price = price_of(row)
    recurring = price.get("recurring") or price
    product = price.get("product")
    product_id = product.get("id") if isinstance(product, dict) else product
    stored = gateway.stored("product", product_id) if product_id else None
    return {
        "id": row.get("id") or "",
        "price": price.get("id") or "",
        "product": product_id,
        "name": (stored or {}).get("name") or "",
        "quantity": row.get("quantity"),
        "unit_amount": price.get("unit_amount"),
        "currency": price.get("currency"),
        "interval": recurring.get("interval"),
        "interval_count": recurring.get("interval_count") or 1,
    }


def preview_json(invoice: Json, change: SubscriptionChange) -> Any:
    lines = (invoice.get("lines") or {}).get("data") or []
    return PreviewSerializer(
        {
            "currency": invoice["currency"],
            "amount_due": invoice["amount_due"],
            "total": invoice["total"],
            "proration_date": change.proration_date or int(timezone.now().timestamp()),
            "lines": lines,
        }
    ).data


def invoice_json(invoice: Json) -> Any:
    empty = dict.fromkeys(InvoiceSerializer().fields)
    return InvoiceSerializer(empty | invoice | {"created": _moment(invoice.get("created"))}).data


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None
