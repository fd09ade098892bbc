"""Growth's addresses. An API path works without and with a trailing slash, never by redirect."""

from django.urls import URLPattern, path, re_path

from growth.admin.acquisition import acquisition_page
from growth.admin.referral_pages import referrals_page, reward_page
from growth.admin.spend_entry import spend_add_page
from growth.admin.suppression_pages import export, import_page, lift_page
from growth.api.referrals import CodesView, ReferralsView
from growth.api.spend import SpendView
from growth.api.suppressions import LiftView, SuppressionsView
from growth.suppression.preference_pages import preferences_page
from growth.suppression.webhooks import provider_webhook

app_name = "growth"
urlpatterns: list[URLPattern] = [
    # Placed before the admin's own addresses.
    path("admin/growth/referrals/", referrals_page, name="referrals"),
    path("admin/growth/rewards/<uuid:reward_id>/", reward_page, name="reward"),
    path("admin/growth/suppressions/import/", import_page, name="import-suppressions"),
    path("admin/growth/suppressions/export.csv", export, name="export-suppressions"),
    path("admin/growth/suppressions/<int:pk>/lift/", lift_page, name="lift-suppression"),
    re_path(
        r"^api/growth/retention/suppressions/?$",
        SuppressionsView.as_view(),
        name="api-suppressions",
    ),
    re_path(
        r"^api/growth/retention/suppressions/(?P<pk>\d{1,18})/lift/?$",
        LiftView.as_view(),
        name="api-lift-suppression",
    ),
    re_path(r"^mail/webhooks/(?P<provider>\w+)/?$", provider_webhook, name="mail-webhook"),
    re_path(r"^mail/preferences/(?P<token>[^/]+)/?$", preferences_page, name="preferences"),
    re_path(r"^api/growth/referrals/?$", ReferralsView.as_view(), name="api-referrals"),
    re_path(r"^api/growth/referrals/codes/?$", CodesView.as_view(), name="referral-codes"),
    path("admin/growth/acquisition/", acquisition_page, name="acquisition"),
    path("admin/growth/spend/add/", spend_add_page, name="spend-add"),
    re_path(r"^api/growth/spend/?$", SpendView.as_view(), name="api-spend"),
]
