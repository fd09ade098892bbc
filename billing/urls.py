"""Billing's addresses. An API path works without and with a trailing slash, never by redirect."""

from django.urls import URLPattern, path, re_path

from billing.admin.revenue import movements_csv, revenue_page
from billing.admin.stripe_customers import unlinked_customers
from billing.admin.usage import person_usage
from billing.api.revenue import ChurnView, CohortsView, LtvView, MovementsView, MrrView
from billing.api.stripe import (
    CancelView,
    ChangePlanView,
    CheckoutSessionView,
    InvoicesView,
    PortalSessionView,
    ResumeView,
    SubscriptionView,
)
from billing.api.stripe_webhook import webhook
from billing.api.usage import CheckView, ReservationView, UsageView
from billing.stripe import checkout_pages

STRIPE = r"^api/billing/stripe/"
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

app_name = "billing"
urlpatterns: list[URLPattern] = [
    # Placed before the admin's own addresses.
    path("admin/billing/persons/<int:person_id>/usage/", person_usage, name="person-usage"),
    path("admin/billing/unlinked-customers/", unlinked_customers, name="unlinked-customers"),
    path("admin/billing/revenue/", revenue_page, name="revenue-page"),
    path("admin/billing/revenue/movements.csv", movements_csv, name="movements-csv"),
    re_path(r"^api/billing/usage/?$", UsageView.as_view(), name="usage"),
    re_path(r"^api/billing/usage/check/?$", CheckView.as_view(), name="usage-check"),
    re_path(
        rf"^api/billing/usage/reservations/(?P<reservation_id>{UUID})/?$",
        ReservationView.as_view(),
        name="usage-reservation",
    ),
    path("billing/checkout/done/", checkout_pages.done, name="checkout-done"),
    path("billing/checkout/canceled/", checkout_pages.canceled, name="checkout-canceled"),
    path("billing/checkout/<str:token>/", checkout_pages.checkout, name="checkout"),
    re_path(rf"{STRIPE}checkout-session/?$", CheckoutSessionView.as_view(), name="stripe-checkout"),
    re_path(rf"{STRIPE}portal-session/?$", PortalSessionView.as_view(), name="stripe-portal"),
    re_path(rf"{STRIPE}subscription/?$", SubscriptionView.as_view(), name="stripe-subscription"),
    re_path(rf"{STRIPE}change-plan/?$", ChangePlanView.as_view(), name="stripe-change-plan"),
    re_path(rf"{STRIPE}cancel/?$", CancelView.as_view(), name="stripe-cancel"),
    re_path(rf"{STRIPE}resume/?$", ResumeView.as_view(), name="stripe-resume"),
    re_path(rf"{STRIPE}invoices/?$", InvoicesView.as_view(), name="stripe-invoices"),
    re_path(rf"{STRIPE}webhook/(?P<endpoint_id>{UUID})/?$", webhook, name="stripe-webhook"),
    re_path(r"^api/billing/revenue/mrr/?$", MrrView.as_view(), name="mrr"),
    re_path(r"^api/billing/revenue/movements/?$", MovementsView.as_view(), name="movements"),
    re_path(r"^api/billing/revenue/churn/?$", ChurnView.as_view(), name="churn"),
    re_path(r"^api/billing/revenue/ltv/?$", LtvView.as_view(), name="ltv"),
    re_path(r"^api/billing/revenue/cohorts/?$", CohortsView.as_view(), name="cohorts"),
]
