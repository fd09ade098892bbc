"""S07: every page and endpoint names a permission; one without any is refused."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import RequestFactory
from django.urls import URLResolver, get_resolver, resolve, reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api.access import ANY_USER, HasRequiredPermission, permission_of
from operational.access.authentication import TokenAuthentication
from tests.staff import member
from tests.tokens import bearer

pytestmark = pytest.mark.django_db

# A page of the admin, and the endpoint that shows the same.
SAME = {
    "analytics:retention-page": "analytics:retention",
    "analytics:active-users-page": "analytics:active-users",
    "analytics:activation-page": "analytics:activation",
    "analytics:funnel-page": "analytics:funnel",
    "analytics:events-page": "analytics:events",
    "analytics:ingestion-page": "analytics:ingestion",
    "billing:revenue-page": "billing:mrr",
    "operational:dashboard": "operational:api-alignment-score",
    "operational:now": "operational:api-real-time-metrics",
    "operational:actions": "operational:api-priority-actions",
    "operational:alerts": "operational:api-kpi-alerts",
    "operational:reports": "operational:api-daily-report",
    "operational:data-quality": "operational:api-data-quality",
    "operational:system-health": "operational:api-system-health",
}


def views(resolver=None):
    """Return every view class of the API, but for those behind a staff page."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern)
        elif not hasattr(pattern.callback, "required_permission"):
            view = getattr(pattern.callback, "view_class", None)
            if view is not None and issubclass(view, APIView):
                yield view


def named(view):
    methods = [method.upper() for method in view.http_method_names if hasattr(view, method)]
    return {permission_of(view, method) for method in methods}


def test_s07_every_endpoint_names_permissions_that_exist():
    rows = Permission.objects.select_related("content_type")
    existing = {f"{row.content_type.app_label}.{row.codename}" for row in rows}
    assert len([*views()]) > 30
    for view in views():
        assert named(view) - {ANY_USER} <= existing, view
        assert HasRequiredPermission in view.permission_classes, view


def test_s07_only_the_schema_needs_no_permission():
    free = [view.__name__ for view in views() if ANY_USER in named(view) - {None}]
    assert [name for name in free if name != "SchemaView"] == []


@pytest.mark.parametrize(("page", "endpoint"), SAME.items())
def test_s07_a_page_and_its_endpoint_need_the_same_permission(page, endpoint):
    guarded: Any = resolve(reverse(page)).func
    view: Any = resolve(reverse(endpoint)).func
    assert guarded.required_permission == view.view_class.required_permission


def respond(view, user, method="get"):
    factory = getattr(RequestFactory(), method)
    return view.as_view()(factory("/", headers=bearer(user)))


def test_s07_a_view_that_names_no_permission_is_refused_even_to_owners(admin_user):
    class Forgotten(APIView):
        def get(self, _request: Request) -> Response:
            return Response()

    response = respond(Forgotten, admin_user)
    assert (response.status_code, response.data["detail"]) == (
        403,
        "The endpoint names no permission.",
    )


def test_s07_each_method_may_name_its_own_permission():
    class Persons(APIView):
        authentication_classes = [TokenAuthentication]
        required_permission = {"GET": "analytics.view_person"}

        def get(self, _request: Request) -> Response:
            return Response()

        def delete(self, _request: Request) -> Response:
            return Response()

    analyst = member("Analyst")
    statuses = [respond(Persons, analyst, method).status_code for method in ("get", "head", "post")]
    assert statuses == [200, 200, 405]
    assert respond(Persons, analyst, "delete").status_code == 403


def test_s07_a_page_refuses_staff_without_its_permission_and_says_why(client):
    client.force_login(member())
    response = client.get("/admin/operational/")
    assert response.status_code == 403
    assert "Ask an owner to add it to a group" in response.content.decode()


def test_s07_who_may_only_view_a_list_has_none_of_its_actions():
    reader = member()
    permissions = Permission.objects.filter(codename__startswith="view_")
    reader.user_permissions.set(permissions)
    request = RequestFactory().get("/", {})
    request.user = reader
    for model, model_admin in admin.site._registry.items():
        assert model_admin.has_view_permission(request), model
        assert model_admin.get_actions(request) == {}, model
