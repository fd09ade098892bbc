"""Rows of the ledgers: MRR movements and their Stripe objects, cash, held objects."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from billing.models import CashEntry, HeldObject, MrrMovement
from billing.revenue import settings as revenue_settings
from billing.stripe import gateway
from common.admin.pages import link_to
from common.admin.read_only import ReadOnlyAdmin
from common.formatting import money

_DASHBOARD = "https://dashboard.stripe.com/"
_DASHBOARD_PAGES = {"sub": "subscriptions", "evt": "events", "in": "invoices", "cus": "customers"}


def stripe_link(stripe_id: str) -> SafeString:
    """Return a link to an object in Stripe's dashboard, or its id if it has no page there."""
    page = _DASHBOARD_PAGES.get(stripe_id.partition("_")[0])
    if not page or settings.STRIPE_IS_FAKE:
        return format_html("{}", stripe_id)
    mode = "test/" if "_test_" in settings.STRIPE_SECRET_KEY else ""
    return link_to(f"{_DASHBOARD}{mode}{page}/{stripe_id}", stripe_id)


def excluded(name: SafeString | str) -> SafeString:
    """Return a customer's name or link, marked for lists that also show those who do not count."""
    return format_html('{} <span class="pl-chip">Excluded</span>', name)


class CountedAdmin(ReadOnlyAdmin):
    """Rows of the customers that count, as in every sum of them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).counted()  # type: ignore[no-any-return]


@admin.register(MrrMovement)
class MrrMovementAdmin(CountedAdmin):
    list_display = ["day", "customer_id", "kind", "in_reporting", "original", "closing_mrr"]
    list_filter = ["kind", "currency"]
    date_hierarchy = "day"
    search_fields = ["customer_id__startswith"]
    search_help_text = "Start of a customer's id"
    ordering = ["-day", "-pk"]
    fields = [
        "day",
        "customer",
        "person",
        "kind",
        "in_reporting",
        "original",
        "fx_rate",
        "opening_mrr",
        "closing_mrr",
        "stripe_objects",
    ]

    @admin.display(description="Amount", ordering="amount")
    def in_reporting(self, movement: MrrMovement) -> str:
        if movement.kind == "held":
            return "held: no exchange rate"
        return money(movement.amount, revenue_settings.currency_in_force())

    @admin.display(description="Original amount", ordering="original_amount")
    def original(self, movement: MrrMovement) -> str:
        return money(movement.original_amount, movement.currency)

    @admin.display(description="MRR before")
    def opening_mrr(self, movement: MrrMovement) -> str:
        return money(movement.opening, revenue_settings.currency_in_force())

    @admin.display(description="MRR after", ordering="closing")
    def closing_mrr(self, movement: MrrMovement) -> str:
        return money(movement.closing, revenue_settings.currency_in_force())

    @admin.display(description="Customer")
    def customer(self, movement: MrrMovement) -> SafeString:
        return stripe_link(movement.customer_id)

    @admin.display(description="Person")
    def person(self, movement: MrrMovement) -> SafeString | str:
        person_id = gateway.persons_of([movement.customer_id]).get(movement.customer_id)
        if person_id is None:
            return "Not linked to a person"
        return link_to(reverse("admin:analytics_person_change", args=[person_id]), person_id)

    @admin.display(description="Stripe objects")
    def stripe_objects(self, movement: MrrMovement) -> SafeString:
        links = ((stripe_link(stripe_id),) for stripe_id in movement.sources)
        return format_html_join(", ", "{}", links)


@admin.register(CashEntry)
class CashEntryAdmin(CountedAdmin):
    list_display = ["happened_at", "kind", "amount_with_currency", "customer_id", "object"]
    list_display_links = None
    list_filter = ["kind", "currency"]
    date_hierarchy = "happened_at"
    search_fields = ["customer_id__startswith", "stripe_id__startswith"]
    search_help_text = "Start of a customer's or an object's id"
    ordering = ["-happened_at"]

    @admin.display(description="Amount", ordering="amount")
    def amount_with_currency(self, entry: CashEntry) -> str:
        return money(entry.amount, entry.currency)

    @admin.display(description="Stripe object")
    def object(self, entry: CashEntry) -> SafeString:
        return stripe_link(entry.stripe_id)


@admin.register(HeldObject)
class HeldObjectAdmin(CountedAdmin):
    list_display = ["object", "customer_id", "reason"]
    list_display_links = None
    list_filter = ["field"]
    search_fields = ["customer_id__startswith", "stripe_id__startswith"]
    search_help_text = "Start of a customer's or an object's id"
    ordering = ["stripe_id"]

    @admin.display(description="Stripe object")
    def object(self, held: HeldObject) -> SafeString:
        return stripe_link(held.stripe_id)
