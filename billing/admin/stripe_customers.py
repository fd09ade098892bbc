"""The persons of Stripe customers: links, suggested links, and linking by hand with a preview."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from analytics.people import persons
from billing.admin.exceptions import DistinctIdField
from billing.admin.ledger import excluded, stripe_link
from billing.limits import plans
from billing.models import StripeCustomer
from billing.stripe import customers, gateway, link_suggestions
from billing.stripe.subscription_summary import summary_of
from common.admin.pages import link_to, require_permission, staff_page
from common.admin.preview_before_save import PreviewBeforeSave

_PAGE = "billing:unlinked-customers"


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
class StripeCustomerAdmin(PreviewBeforeSave):
    form = StripeCustomerForm
    fields = StripeCustomerForm.Meta.fields
    list_display = ["customer_id", "stripe", "person", "proof"]
    list_filter = ["proof"]
    list_select_related = ["distinct_id__person"]
    search_fields = ["customer_id__startswith", "distinct_id__distinct_id__startswith"]
    search_help_text = "Start of a customer's id or of a distinct id"
    ordering = ["customer_id"]
    show_full_result_count = False
    change_form_before_template = "admin/billing/_stripe_customer_intro.html"
    preview_template = "admin/billing/stripe_customer_preview.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["customer_id"] if obj else []

    def preview(self, request: HttpRequest, form: forms.ModelForm) -> dict[str, Any]:
        return {"title": "Preview of the link", **_effect(form.instance)}

    def save_model(
        self, request: HttpRequest, obj: StripeCustomer, form: Any, change: bool
    ) -> None:
        customers.link_by_hand(obj.pk, obj.distinct_id_id)

    def delete_model(self, request: HttpRequest, obj: StripeCustomer) -> None:
        customers.refuse(obj.pk, obj.distinct_id_id, by=request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[StripeCustomer]) -> None:
        for link in queryset:
            self.delete_model(request, link)

    @admin.display(description="At Stripe")
    def stripe(self, customer: StripeCustomer) -> SafeString:
        link = stripe_link(customer.pk)
        return excluded(link) if customer.distinct_id.person.excluded else link

    @admin.display(description="Person", ordering="distinct_id")
    def person(self, customer: StripeCustomer) -> SafeString:
        return link_to(
            reverse("billing:person-usage", args=[customer.distinct_id.person_id]),
            customer.distinct_id_id,
        )


@staff_page("billing.view_stripecustomer")
@require_http_methods(["GET", "HEAD", "POST"])
def unlinked_customers(request: HttpRequest) -> HttpResponse:
    """List customers that are not linked, with suggestions; POST refuses a suggestion."""
    if request.method == "POST":
        require_permission(request, "billing.change_stripecustomer")
        return _refuse(request)
    rows = link_suggestions.unlinked()
    context = {
        **admin.site.each_context(request),
        "title": "Unlinked customers",
        "rows": [(row, stripe_link(row.customer_id)) for row in rows],
        "total": gateway.count_unlinked(),
        "may_link": request.user.has_perm("billing.add_stripecustomer"),
        "may_refuse": request.user.has_perm("billing.change_stripecustomer"),
    }
    return TemplateResponse(request, "admin/billing/unlinked_customers.html", context)


def _refuse(request: HttpRequest) -> HttpResponse:
    distinct_id = request.POST.get("distinct_id", "")
    if persons.find_person(distinct_id) is None:
        messages.error(request, f"No person has the distinct id “{distinct_id}”.")
    else:
        by = request.user.get_username()
        customers.refuse(request.POST.get("customer_id", ""), distinct_id, by=by)
        messages.success(request, "This person will not be suggested for the customer again.")
    return redirect(_PAGE)


def _effect(link: StripeCustomer) -> dict[str, Any]:
    """Return what linking a customer changes, for the page that asks to confirm it."""
    person = link.distinct_id.person
    return {
        "link": link,
        "customer_link": stripe_link(link.pk),
        "stored": gateway.stored("customer", link.pk) or {},
        "subscriptions": [summary_of(row) for row in gateway.subscriptions_of([link.pk])],
        "person": person,
        "plan": plans.plan_of(person.pk, now=timezone.now()),
        "others": [row for row in gateway.customer_ids_of(person.pk) if row != link.pk],
        "linked_now": gateway.persons_of([link.pk]).get(link.pk),
        "page": _PAGE,
    }
