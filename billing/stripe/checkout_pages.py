"""Public pages: a link to Stripe's checkout, as e-mails and prompts have it, and coming back.

Everyone who gets hold of a link can open it. So it shows nothing about the person, opens no session
of the customer portal, and the session of its checkout has no stored customer.
"""

import hashlib
from http import HTTPStatus

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from analytics.models import Person
from analytics.people import persons
from billing.models import Plan
from billing.stripe import gateway, sessions, subscriptions

_INVALID = "This link is not valid", "Please log in to the product, and choose your plan there."
_EXPIRED = (
    "This link has expired",
    f"It was valid for {gateway.VALID_HOURS} hours. {_INVALID[1]}",
)
_UNAVAILABLE = "Checkout is unavailable", "You were not charged. Please try again in a few minutes."
_SUBSCRIBED = "You already have a subscription"
_LOG_IN_AT_STRIPE = (
    "This link buys nothing more. To change your plan, your card or your subscription, log in to"
    " the customer portal at Stripe:"
    " you get a link by e-mail, at the address that you pay with."
)
_LOG_IN_TO_PRODUCT = (
    "This link buys nothing more. To change your plan, your card or your subscription, log in to"
    " the product."
)


@never_cache
@csrf_exempt  # the link itself is the permission, and cookies may be off where it is opened
@csp_update({"form-action": ["https:", "http://127.0.0.1:*"]})  # type: ignore[arg-type]  # to Stripe
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest, token: str) -> HttpResponse:
    """Show what a link sells; the button creates the session, which scanners of mail do not."""
    try:
        link = gateway.read_checkout_token(token)
    except gateway.CheckoutLinkExpired:
        return _page(request, *_EXPIRED, status=HTTPStatus.GONE)
    person = persons.person_with_id(link.person_id) if link else None
    # Two people shared the account when it was made: it cannot be said whose link it is.
    if link is None or person is None or persons.was_split_since(link.made_at, person):
        return _page(request, *_INVALID, status=HTTPStatus.NOT_FOUND)
    try:
        return _checkout(request, person, link.price_id, token)
    except subscriptions.InvalidSubscriptionRequest:
        return _page(request, *_INVALID, status=HTTPStatus.NOT_FOUND)
    except (gateway.StripeProblem, subscriptions.SubscriptionConflict):
        if subscriptions.current(person):  # meanwhile, perhaps through this link
            return _subscribed(request)
        return _page(request, *_UNAVAILABLE, status=HTTPStatus.SERVICE_UNAVAILABLE)


def _checkout(request: HttpRequest, person: Person, price_id: str, token: str) -> HttpResponse:
    distinct_id = persons.proved_distinct_id(person.pk)
    if distinct_id is None:  # what is bought must not go to an id that is only claimed
        return _page(request, *_INVALID, status=HTTPStatus.NOT_FOUND)
    if subscriptions.current(person):
        return _subscribed(request)
    price_id = subscriptions.price_id_of(plan=None, price=price_id)
    if request.method != "POST":
        return _offer(request, price_id)
    return HttpResponseRedirect(_session_url(person, distinct_id, price_id, token))


def _session_url(person: Person, distinct_id: str, price_id: str, token: str) -> str:
    """Return a session's address, the same one however many times the button is pressed."""
    use = hashlib.sha256(f"{token}:{distinct_id}".encode(errors="surrogatepass")).hexdigest()
    session = sessions.checkout_session(
        person,
        distinct_id,
        [sessions.checkout_line(price_id, None)],
        key=f"plumbline-link-{use}",
        shows_customer=False,
    )
    return str(session["url"])


def _offer(request: HttpRequest, price_id: str) -> HttpResponse:
    plan = Plan.objects.filter(prices__price_id=price_id).first()
    title = f"Upgrade to {plan.name}" if plan else "Subscribe"
    text = "You enter your e-mail address and pay at Stripe."
    return _page(request, title, text, button="Continue to checkout")


def _subscribed(request: HttpRequest) -> HttpResponse:
    """Say how to reach the customer portal: Stripe asks for proof of the address."""
    try:
        login_url = gateway.portal_login_url()
    except gateway.StripeProblem:  # or the key may not read the portal's configuration
        login_url = ""
    if login_url:
        return _page(
            request, _SUBSCRIBED, _LOG_IN_AT_STRIPE, link=login_url, link_text="Log in at Stripe"
        )
    return _page(request, _SUBSCRIBED, _LOG_IN_TO_PRODUCT)


@require_safe
def done(request: HttpRequest) -> HttpResponse:
    return _page(request, "Thank you", "You are all set. You can close this page.")


@require_safe
def canceled(request: HttpRequest) -> HttpResponse:
    return _page(request, "Checkout canceled", "You were not charged. You can close this page.")


def _page(
    request: HttpRequest, title: str, text: str, *, status: int = HTTPStatus.OK, **more: str
) -> HttpResponse:
    product = {"product": settings.PLUMBLINE_CHECKOUT_RETURN_URL}
    theme = admin.site.each_context(request)  # without its colors the button is invisible
    context = theme | {"title": title, "text": text} | product | more
    return render(request, "billing/checkout.html", context, status=status)
