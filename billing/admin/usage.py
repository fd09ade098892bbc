"""The page of a person's usage and subscriptions."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from analytics.people import addresses, persons
from billing.admin.exceptions import grant_of
from billing.admin.ledger import stripe_link
from billing.limits import plans, usage_limits
from billing.limits.usage_limits import UsageAccount
from billing.models import LimitException, UsageNotice, UsageReservation
from billing.stripe import gateway, subscriptions
from billing.stripe.subscription_summary import summary_of
from common.admin.pages import require_permission, staff_page

LATEST_NOTICES = 20


@staff_page("billing.view_usagereservation")
@require_GET
def person_usage(request: HttpRequest, person_id: int) -> HttpResponse:
    """Show a person's usage of every meter, the reason for their plan, and their notices."""
    require_permission(request, "analytics.view_person")
    now = timezone.now()
    person = persons.person_with_id(person_id)
    account = usage_limits.account_of_person(person_id, now=now)
    if person is None or account is None:
        raise Http404(f"Person {person_id} does not exist.")
    own_rows = {"distinct_id__person_id": person_id}
    exceptions = LimitException.objects.filter(**own_rows).select_related("plan", "meter")
    notices = UsageNotice.objects.filter(**own_rows).select_related("meter", "plan")
    reservations = UsageReservation.objects.filter(**own_rows, expires_at__gt=now)
    context = {
        **admin.site.each_context(request),
        "title": "Usage and limits",
        "person": person,
        "address": addresses.address_of(person),
        "distinct_id": persons.first_distinct_id(person_id) or "",
        "account": account,
        "reason": _reason(account),
        "zone": plans.zone().key,
        "today": plans.today(now),
        "exceptions": [(row, grant_of(row)) for row in exceptions.order_by("-ends_on")],
        "notices": notices.order_by("-pk")[:LATEST_NOTICES],
        "reservations": reservations.select_related("meter").order_by("expires_at"),
        "customer_links": [
            stripe_link(customer_id) for customer_id in gateway.customer_ids_of(person_id)
        ],
        "subscriptions": [
            (stripe_link(subscription["id"]), summary_of(subscription))
            for subscription in subscriptions.all_of(person)
        ],
        "may_grant": request.user.has_perm("billing.add_limitexception"),
    }
    return TemplateResponse(request, "admin/billing/person_usage.html", context)


def _reason(account: UsageAccount) -> str:
    """Say why the person has the plan."""
    plan, exemptions = account.plan, account.situation.exemptions
    if paid := [price for price in account.price_ids if price in plan.price_ids]:
        return f"Paid for with {', '.join(paid)}."
    if any(exemption.plan == plan.slug for exemption in exemptions):
        return "Granted by an exception."
    return "Default plan: they pay for no plan."
