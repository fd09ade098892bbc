"""The pages that persons see: they follow a link to Stripe's checkout, and come back."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analytics.people import persons
from billing.stripe import gateway, subscriptions

_GONE = "This link is no longer valid", "Please go back to where you found it and try again."
_AWAY = "The checkout cannot be reached", "Nothing was bought. Please try again in a few minutes."


@never_cache
@require_safe
def checkout(request: HttpRequest, token: str) -> HttpResponse:
    """Send who follows a checkout link to Stripe; who has a subscription, to the portal."""
    if request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return HttpResponse()  # nobody is there to pay
    found = gateway.read_checkout_token(token)
    person = persons.person_with_id(found[0]) if found else None
    distinct_id = persons.first_distinct_id(person.pk) if person else None
    if found is None or person is None or distinct_id is None:
        return _page(request, *_GONE, status=HTTPStatus.NOT_FOUND)
    try:
        if subscriptions.living(person):
            session = subscriptions.portal_session(person)
        else:
            price_id = subscriptions.price_id_of(plan=None, price=found[1])
            session = subscriptions.checkout_session(person, distinct_id, price_id)
    except subscriptions.InvalidSubscriptionRequest:
        return _page(request, *_GONE, status=HTTPStatus.NOT_FOUND)
    except (gateway.StripeProblem, subscriptions.SubscriptionConflict):  # or it changed just now
        return _page(request, *_AWAY, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return HttpResponseRedirect(session["url"])


@require_safe
def done(request: HttpRequest) -> HttpResponse:
    return _page(request, "Thank you", "Everything is set. You can close this page.")


@require_safe
def cancelled(request: HttpRequest) -> HttpResponse:
    return _page(request, "Nothing was bought", "You can close this page.")


def _page(
    request: HttpRequest, title: str, text: str, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    context = {"title": title, "text": text}
    return render(request, "billing/checkout.html", context, status=status)
