"""Public pages: following a link to Stripe's checkout, and coming back."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analytics.people import persons
from billing.stripe import gateway, sessions, subscriptions

_INVALID = "This link is no longer valid", "Please go back to the page with the link and try again."
_UNAVAILABLE = "Checkout is unavailable", "You were not charged. Please try again in a few minutes."


@never_cache
@require_safe
def checkout(request: HttpRequest, token: str) -> HttpResponse:
    """Redirect to Stripe's checkout, or to its portal for people with a subscription."""
    if request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return HttpResponse()  # a prefetch, not a visit
    link = gateway.read_checkout_token(token)
    person = persons.person_with_id(link.person_id) if link else None
    distinct_id = persons.first_distinct_id(person.pk) if person else None
    if link is None or person is None or distinct_id is None:
        return _page(request, *_INVALID, status=HTTPStatus.NOT_FOUND)
    try:
        if subscriptions.current(person):
            session = sessions.portal_session(person)
        else:
            price_id = subscriptions.price_id_of(plan=None, price=link.price_id)
            session = sessions.checkout_session(person, distinct_id, price_id)
    except subscriptions.InvalidSubscriptionRequest:
        return _page(request, *_INVALID, status=HTTPStatus.NOT_FOUND)
    except (
        gateway.StripeProblem,
        subscriptions.SubscriptionConflict,
    ):  # or a subscription was created meanwhile
        return _page(request, *_UNAVAILABLE, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return HttpResponseRedirect(session["url"])


@require_safe
def done(request: HttpRequest) -> HttpResponse:
    return _page(request, "Thank you", "You are all set. You can close this page.")


@require_safe
def canceled(request: HttpRequest) -> HttpResponse:
    return _page(request, "Checkout canceled", "You were not charged. You can close this page.")


def _page(
    request: HttpRequest, title: str, text: str, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    context = {"title": title, "text": text}
    return render(request, "billing/checkout.html", context, status=status)
