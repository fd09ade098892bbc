"""Stripe events and their outcome."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.admin.ledger import excluded, stripe_link
from billing.models import StripeEvent
from billing.stripe import events
from billing.stripe.gateway import admin_pages
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).marked()  # type: ignore[no-any-return]

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
        link = stripe_link(event.customer_id)
        is_excluded: bool = event.is_excluded  # type: ignore[attr-defined]
        return excluded(link) if is_excluded else link

    @admin.display(description="Reason")
    def short_reason(self, event: StripeEvent) -> str:
        return event.reason[:100]

    @admin.display(description="Payload")
    def content(self, event: StripeEvent) -> SafeString:
        text = json.dumps(event.payload, indent=2, ensure_ascii=False)
        return format_html('<pre class="pl-json">{}</pre>', text)
