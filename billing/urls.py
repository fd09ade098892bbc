"""Billing's addresses. An API path works without and with a trailing slash, never by redirect."""

from django.urls import URLPattern, path, re_path

from billing.admin.revenue import movements_csv, revenue_page
from billing.admin.usage import person_usage
from billing.api.revenue import ChurnView, CohortsView, LtvView, MovementsView, MrrView
from billing.api.stripe_webhook import webhook
from billing.api.usage import CheckView, ReservationView, UsageView

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

app_name = "billing"
urlpatterns: list[URLPattern] = [
    # Placed before the admin's own addresses.
    path("admin/billing/persons/<int:person_id>/usage/", person_usage, name="person-usage"),
    path("admin/billing/revenue/", revenue_page, name="revenue-page"),
    path("admin/billing/revenue/movements.csv", movements_csv, name="movements-csv"),
    re_path(r"^api/billing/usage/?$", UsageView.as_view(), name="usage"),
    re_path(r"^api/billing/usage/check/?$", CheckView.as_view(), name="usage-check"),
    re_path(
        rf"^api/billing/usage/reservations/(?P<reservation_id>{UUID})/?$",
        ReservationView.as_view(),
        name="usage-reservation",
    ),
    re_path(
        r"^api/billing/stripe/webhook/(?P<endpoint_id>" + UUID + r")/?$",
        webhook,
        name="stripe-webhook",
    ),
    re_path(r"^api/billing/revenue/mrr/?$", MrrView.as_view(), name="mrr"),
    re_path(r"^api/billing/revenue/movements/?$", MovementsView.as_view(), name="movements"),
    re_path(r"^api/billing/revenue/churn/?$", ChurnView.as_view(), name="churn"),
    re_path(r"^api/billing/revenue/ltv/?$", LtvView.as_view(), name="ltv"),
    re_path(r"^api/billing/revenue/cohorts/?$", CohortsView.as_view(), name="cohorts"),
]
