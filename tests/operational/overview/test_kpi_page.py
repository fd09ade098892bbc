import re
from datetime import timedelta

import pytest

from operational.kpis.goals import set_goal
from operational.models import KpiReading
from tests.operational.kpi_data import AS_OF, noon, person
from tests.operational.overview.test_dashboard import as_text
from tests.staff import member

URL = "/admin/operational/kpis/{}/"

pytestmark = pytest.mark.django_db


def page(client, slug, **query):
    response = client.get(URL.format(slug), query)
    assert response.status_code == 200
    return as_text(response.content.decode())


def test_strangers_are_sent_to_the_login(client):
    assert client.get(URL.format("d7_retention")).url.startswith("/admin/login/")


@pytest.mark.parametrize("path", ["nonsense/", "d7_retention/?group=nonsense"])
def test_an_unknown_kpi_or_group_is_not_found(admin_client, company, path):
    assert admin_client.get(f"/admin/operational/kpis/{path}").status_code == 404


def test_the_definition_and_its_numbers_are_shown(admin_client, company):
    text = page(admin_client, "d7_retention")
    for expected in (
        "22.0 %",
        "95 % interval 15.0 – 31.1 %",
        "People active on day 7 after signup / people who signed up (version 1)",
        "23 Feb 2026 to 24 Mar 2026",
        "Active on day 7 after signup: 22",
        "Signed up: 100",
        "People marked as excluded",
        "3.4 points lost",
    ):
        assert expected in text


def test_the_activation_rate_shows_the_median_time_to_activation(admin_client, company):
    assert "Median time to activation" in page(admin_client, "activation_rate")


@pytest.mark.parametrize("slug", ["ltv_cac", "churn_rate", "viral_coefficient", "growth_mom"])
def test_every_kpi_opens_without_people_or_data(admin_client, db, slug):
    assert "How it is computed" in page(admin_client, slug)


def test_a_kpi_without_data_says_why(admin_client, company):
    text = page(admin_client, "churn_rate")
    assert "Stripe billing is not connected" in text
    assert "Not counted" in text
    assert "Target at most 5.0 %" in text


def test_the_history_shows_first_reported_and_restated_values(admin_client, history):
    KpiReading.objects.filter(kpi="d7_retention", day=AS_OF).update(first_value=0.5)
    text = page(admin_client, "d7_retention")
    assert "All 10 readings as a table" in text
    assert re.search(r"31 Mar 2026 22.0 % 15.0 – 31.1 % 22 100 50.0 % restated OK v1", text)


def test_the_goal_history_shows_author_time_and_reason(admin_client, admin_user, company):
    set_goal(kpi="ltv_cac", target=5, weight=15, note="New plan", created_by=admin_user)
    text = page(admin_client, "ltv_cac")
    assert "Goal: version 2 is in force" in text
    assert re.search(r"2 in force 5.00 15 – – .* admin New plan 1 4.00 15 3.00 2.00", text)


def test_the_missed_people_are_listed_first(admin_client, company):
    came_back = person(noon(AS_OF - timedelta(days=20)), active_days=[7])
    response = admin_client.get(URL.format("d7_retention"))
    missed = list(response.context["persons"])
    assert (company in missed, came_back in missed) == (True, False)


def test_a_person_is_shown_with_id_email_and_times(admin_client, company):
    company.properties = {"email": "ada@example.com"}
    company.activated_at = company.signup_at + timedelta(days=9)
    company.save()
    company.distinct_ids.create(distinct_id="user-1")
    text = page(admin_client, "activation_rate")
    assert "user-1 ada@example.com 11 Mar 2026, 12:00 20 Mar 2026, 12:00" in text


@pytest.mark.parametrize(("group", "visible"), [("Viewer", False), ("Analyst", True)])
def test_s07_people_are_shown_to_those_who_may_see_persons(client, company, group, visible):
    client.force_login(member(group))
    page = client.get("/admin/operational/kpis/d7_retention/").content.decode()
    assert ("People in this number" in page) is visible


def test_people_are_paginated_without_a_query_each(
    admin_client, company, django_assert_max_num_queries
):
    for number in range(40):
        person(noon(AS_OF - timedelta(days=20))).distinct_ids.create(distinct_id=f"id-{number}")
    with django_assert_max_num_queries(40):
        text = page(admin_client, "d7_retention", group="denominator", page=2)
    assert "41 people, showing 26 to 41" in text


def test_without_history_the_page_says_how_to_get_it(admin_client, company):
    assert "backfill_kpis" in page(admin_client, "d7_retention")


def test_a_history_has_a_chart_with_the_target(admin_client, history):
    markup = admin_client.get(URL.format("d7_retention")).content.decode()
    markup = markup.replace("\N{NO-BREAK SPACE}", " ")
    assert re.search(r"From [\d.]+ % on 2\d Mar 2026 to 22.0 % on 31 Mar 2026", markup)
    assert "today's target, 25.0 %" in markup
