"""Growth's addresses. An API path works without and with a trailing slash, never by redirect."""

from django.urls import URLPattern, path, re_path

from growth.admin.referral_pages import referrals_page, reward_page
from growth.api.referrals import CodesView, ReferralsView

app_name = "growth"
urlpatterns: list[URLPattern] = [
    # Placed before the admin's own addresses.
    path("admin/growth/referrals/", referrals_page, name="referrals"),
    path("admin/growth/rewards/<uuid:reward_id>/", reward_page, name="reward"),
    re_path(r"^api/growth/referrals/?$", ReferralsView.as_view(), name="api-referrals"),
    re_path(r"^api/growth/referrals/codes/?$", CodesView.as_view(), name="referral-codes"),
]
