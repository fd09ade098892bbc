"""Stripe events and their outcome, and the persons of Stripe customers."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from billing.admin.exceptions import DistinctIdField
from billing.admin.ledger import stripe_link
from billing.models import StripeCustomer, StripeEvent
from billing.stripe import events, timeline
from billing.stripe.gateway import admin_pages
from common.admin.pages import link_to
from common.admin.read_only import ReadOnlyAdmin
from common.formatting import number

admin_pages.unregister()


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    list_display = ["happened_at", "type", "about", "customer", "state", "short_reason", "attempts"]
    list_display_links = ["happened_at", "type"]
    list_filter = ["state", "type"]
    date_hierarchy = "happened_at"
    search_fields = ["event_id__startswith", "object_id__startswith", "customer_id__startswith"]
    search_help_text = "Start of the id of an event, object or customer"
    ordering = ["-happened_at", "-pk"]
    actions = ["retry"]
    fields = [
        "event",
        "type",
        "about",
        "customer",
        "happened_at",
        "received_at",
        "state",
        "reason",
        "attempts",
        "due_at",
        "content",
    ]
    readonly_fields = fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Retrying is the only possible change."""
        return obj is None and bool(request.user.has_perm("billing.change_stripeevent"))

    @admin.action(description="Retry the selected events", permissions=["change"])
    def retry(self, request: HttpRequest, rows: QuerySet[StripeEvent]) -> None:
        retried = events.retry(list(rows.values_list("pk", flat=True)))
        if retried:
            messages.success(
                request, f"Events to be retried: {number(retried)}. Reload to see the result."
            )
        else:
            messages.warning(request, "None of the selected events failed or was refused.")

    @admin.display(description="Event", ordering="event_id")
    def event(self, event: StripeEvent) -> SafeString:
        return stripe_link(event.event_id)

    @admin.display(description="Object")
    def about(self, event: StripeEvent) -> SafeString:
        return stripe_link(event.object_id)

    @admin.display(description="Customer", ordering="customer_id")
    def customer(self, event: StripeEvent) -> SafeString:
        return stripe_link(event.customer_id)

    @admin.display(description="Reason")
    def short_reason(self, event: StripeEvent) -> str:
        return event.reason[:100]

    @admin.display(description="Payload")
    def content(self, event: StripeEvent) -> SafeString:
        text = json.dumps(event.payload, indent=2, ensure_ascii=False)
        return format_html('<pre class="pl-json">{}</pre>', text)


class StripeCustomerForm(forms.ModelForm):
    distinct_id = DistinctIdField(
        label="Person", help_text="Any of the person's distinct ids; the customer follows it"
    )

    class Meta:
        model = StripeCustomer
        fields = ["customer_id", "distinct_id"]
        help_texts = {
            "customer_id": "For example cus_...; its past events are added to the person's timeline"
        }


@admin.register(StripeCustomer)
class StripeCustomerAdmin(ModelAdmin):
    form = StripeCustomerForm
    list_display = ["customer_id", "stripe", "person"]
    search_fields = ["customer_id__startswith", "distinct_id__distinct_id__startswith"]
    search_help_text = "Start of a customer's id or of a distinct id"
    ordering = ["customer_id"]
    show_full_result_count = False
    change_form_before_template = "admin/billing/_stripe_customer_intro.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["customer_id"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: StripeCustomer, form: Any, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        timeline.add_all([obj.pk])
        events.enqueue_update(obj.pk)

    @admin.display(description="At Stripe")
    def stripe(self, customer: StripeCustomer) -> SafeString:
        return stripe_link(customer.pk)

    @admin.display(description="Person", ordering="distinct_id")
    def person(self, customer: StripeCustomer) -> SafeString:
        return link_to(
            reverse("billing:person-usage", args=[customer.distinct_id.person_id]),
            customer.distinct_id_id,
        )
