"""Analytics' addresses. An API path works without and with a trailing slash, never by redirect."""

from django.urls import path, re_path

from analytics.admin import identity_secret, ingestion, pages
from analytics.api.activation import ActivationView
from analytics.api.active_users import ActiveUsersView
from analytics.api.events import EventsView
from analytics.api.funnel import FunnelView
from analytics.api.ingestion import IngestionView
from analytics.api.persons import PersonExportView, PersonsView, PersonView
from analytics.api.retention import RetentionView, WeeklyRetentionView

app_name = "analytics"
urlpatterns = [
    # Placed before the admin's own addresses.
    path("admin/analytics/retention/", pages.retention, name="retention-page"),
    path("admin/analytics/active-users/", pages.active_users, name="active-users-page"),
    path("admin/analytics/activation/", pages.activation, name="activation-page"),
    path("admin/analytics/funnel/", pages.funnel, name="funnel-page"),
    path("admin/analytics/events/", pages.events, name="events-page"),
    path("admin/analytics/ingestion/", ingestion.page, name="ingestion-page"),
    path("admin/analytics/identity-secret/", identity_secret.page, name="identity-secret-page"),
    path("admin/analytics/capture-health/", pages.capture_health, name="capture-health-page"),
    re_path(r"^api/analytics/retention/?$", RetentionView.as_view(), name="retention"),
    re_path(
        r"^api/analytics/retention/weekly/?$",
        WeeklyRetentionView.as_view(),
        name="weekly-retention",
    ),
    re_path(r"^api/analytics/active-users/?$", ActiveUsersView.as_view(), name="active-users"),
    re_path(r"^api/analytics/activation/?$", ActivationView.as_view(), name="activation"),
    re_path(r"^api/analytics/funnel/?$", FunnelView.as_view(), name="funnel"),
    re_path(r"^api/analytics/events/?$", EventsView.as_view(), name="events"),
    re_path(r"^api/analytics/ingestion/?$", IngestionView.as_view(), name="ingestion"),
    re_path(r"^api/analytics/persons/?$", PersonsView.as_view(), name="persons"),
    re_path(
        r"^api/analytics/persons/(?P<distinct_id>(?s:.)+)/export/?$",
        PersonExportView.as_view(),
        name="person-export",
    ),
    re_path(
        r"^api/analytics/persons/(?P<distinct_id>(?s:.)+)$", PersonView.as_view(), name="person"
    ),
]
