import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import RequestFactory

pytestmark = pytest.mark.django_db

URL = "/admin/operational/"


def links(user, path=URL):
    """Return the sidebar links that a user sees on a page."""
    request = RequestFactory().get(path)
    request.user = user
    groups = admin.site.each_context(request)["sidebar_navigation"]
    return [item for group in groups for item in group["items"] if item["has_permission"]]


def test_every_link_opens(admin_client, admin_user):
    statuses = {
        str(link["link"]): admin_client.get(str(link["link"])).status_code
        for link in links(admin_user)
    }
    assert set(statuses.values()) == {200}, statuses


def test_staff_see_only_the_pages_they_may_open():
    user = User.objects.create_user("reader", is_staff=True)
    assert "Users" not in [link["title"] for link in links(user)]
    assert "Dashboard" in [link["title"] for link in links(user)]


@pytest.mark.parametrize(
    ("path", "title"),
    [
        (URL, "Dashboard"),
        (f"{URL}kpis/d7_retention/", "Dashboard"),
        (f"{URL}kpigoal/", "Goals"),
        ("/admin/auth/user/", "Users"),
    ],
)
def test_only_the_open_page_is_marked_as_active(admin_user, path, title):
    assert [link["title"] for link in links(admin_user, path) if link["active"]] == [title]
