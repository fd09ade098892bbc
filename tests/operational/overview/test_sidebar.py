import re

import pytest
from django.contrib import admin
from django.test import RequestFactory

from tests.staff import member

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


def test_every_page_has_the_name_of_its_link_in_title_and_heading(admin_client, admin_user):
    names = {
        link["title"]: page_names(admin_client, str(link["link"])) for link in links(admin_user)
    }
    assert names == {name: (name, name) for name in names}


def page_names(client, path):
    """Return what a page's title begins with, and the last part of its heading."""
    html = client.get(path).content.decode()
    title = re.findall(r"<title>\s*(.*?) \| Plumbline", html)[0]
    heading = re.findall(r"<h1.*?</h1>", html, re.DOTALL)[0].split("chevron_right")[-1]
    return title, re.sub(r"<[^>]+>", "", heading).strip().splitlines()[0]


def test_lists_without_rows_say_whether_filters_are_the_reason(admin_client):
    path = "/admin/operational/delivery/"
    assert "Nothing here yet." in admin_client.get(path).content.decode()
    filtered = admin_client.get(path, {"q": "nonsense"}).content.decode()
    assert "No results for these filters." in filtered


def test_links_of_one_app_can_join_the_group_of_another(admin_user):
    titles = [link["title"] for link in links(admin_user)]
    assert titles.index("Ignored findings") == titles.index("Rejected events") + 1


def test_staff_see_only_the_pages_they_may_open():
    titles = [link["title"] for link in links(member("Viewer"))]
    assert {"Dashboard", "Retention", "Revenue", "Plans"} <= {*titles}
    assert not {"Users", "Persons", "Events", "Deliveries", "Project keys"} & {*titles}
    assert links(member(username="new")) == []


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
