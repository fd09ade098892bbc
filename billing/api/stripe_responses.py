"""Responses about Stripe's objects: a few fields of each, times in ISO 8601."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from billing.calculations.stripe_partial import moment_in
from billing.stripe.subscription_changes import SubscriptionChange
from billing.stripe.subscription_summary import SubscriptionSummary, summary_of
from common.api.serializers import as_json, serializer_of

Json = dict[str, Any]


class SessionSerializer(serializers.Serializer):
    id = serializers.CharField()
    url = serializers.URLField(help_text="Redirect the person to it.")


class SubscriptionsSerializer(serializers.Serializer):
    plan = serializers.CharField(help_text="Slug of the person's plan.")
    customers = serializers.ListField(child=serializers.CharField())
    subscriptions = serializer_of(SubscriptionSummary)(many=True)


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
    return as_json(summary_of(subscription))


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
    return InvoiceSerializer(empty | invoice | {"created": moment_in(invoice, "created")}).data
