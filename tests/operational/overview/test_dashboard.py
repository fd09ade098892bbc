import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.models import Counter, Person
from analytics.rollups import definitions
from operational.kpis.goals import set_goal
from tests.demo_company import load_demo
from tests.operational.kpi_data import AS_OF, NOW, count, person

URL = "/admin/operational/"
REFRESH = {"HX-Request": "true"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor(client):
    """A user who is not staff."""
    client.force_login(User.objects.create_user("visitor"))
    return client


def test_strangers_are_sent_to_the_login(client):
    assert client.get(URL).url == f"/admin/login/?next={URL}"


def test_users_who_are_not_staff_do_not_get_in(visitor):
    assert visitor.get(URL).url == f"/admin/login/?next={URL}"


def test_a_refresh_after_the_session_ended_never_gets_the_login_page(client):
    assert client.get(URL, headers=REFRESH).status_code == 401


def test_a_refresh_by_a_user_who_is_no_longer_staff_is_refused(visitor):
    assert visitor.get(URL, headers=REFRESH).status_code == 403


@pytest.mark.parametrize("start", ["/", "/admin/"])
def test_the_start_pages_lead_to_the_dashboard(admin_client, start):
    assert admin_client.get(start).url == URL


def test_the_score_is_shown_with_band_coverage_and_day(admin_client, company):
    text = page_text(admin_client)
    # D7 88, activation 75, D30 100, in 24 h 80, growth 66.7, with their weights
    assert "83.6 of 100: on track" in html(admin_client)
    assert "On track" in text
    assert "5 of 8 KPIs count, 70 % of the weight" in text
    assert "As of the end of 31 Mar 2026, UTC" in text


def test_the_most_points_lost_come_first(admin_client, company):
    page = admin_client.get(URL).context["page"]
    lost = [row.contribution.points_lost for row in page.counted]
    assert lost == sorted(lost, reverse=True)
    assert page.biggest_gap.status.kpi.slug == "activation_rate"


def test_a_kpi_is_shown_with_interval_and_uncapped_attainment(admin_client, company):
    row = kpi_text(admin_client, "activation_rate")
    assert "30.0 %" in row
    assert "21.9 – 39.6 %" in row
    assert "75 % of target 40.0 %" in row
    set_goal(kpi="activation_rate", target=0.24, weight=15)
    assert "125 % of target 24.0 %" in kpi_text(admin_client, "activation_rate")


def test_a_kpi_without_data_says_why_and_does_not_show_zero(admin_client, company):
    row = kpi_text(admin_client, "ltv_cac")
    assert "Stripe billing is not connected" in row
    assert "No data" in row
    assert "0.0" not in row


def test_a_broken_threshold_is_named(admin_client, company):
    set_goal(kpi="d7_retention", target=0.5, weight=20, warning=0.4, critical=0.3)
    assert "Critical" in kpi_text(admin_client, "d7_retention")


def test_a_small_sample_is_shown_but_not_scored(admin_client, company):
    Counter.objects.filter(name="active_month", day=date(2026, 2, 1)).update(value=20)
    row = kpi_text(admin_client, "growth_mom")
    assert "Low sample" in row
    assert "Only 20 to compare with" in row
    assert "not scored" in row


def test_below_70_percent_the_score_is_provisional(admin_client, company):
    set_goal(kpi="ltv_cac", target=4, weight=16)
    text = page_text(admin_client)
    assert "Provisional" in text
    assert "Insufficient data" in text


def test_the_trend_says_which_days_it_cannot_compare(admin_client, history):
    text = page_text(admin_client)
    assert "14, 30, 60, 90 days: No readings for that day" in text


def test_a_sparkline_has_a_text_alternative(admin_client, history):
    assert re.search(
        r"Last 90 days: from [\d.]+ % on \d+ Mar to 22.0 % on 31 Mar", html(admin_client)
    )


def test_the_page_costs_few_queries_and_never_reads_events(admin_client, time_machine):
    time_machine.move_to(NOW, tick=False)
    load_demo(persons=100, days=40)
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(URL)
    from_events = re.compile(r"(FROM|JOIN) \"?analytics_event(_|\b)")
    read = [query["sql"] for query in queries if from_events.search(query["sql"])]
    assert len(queries) <= 30  # of a company that is paid
    assert read == []


def test_changed_definitions_are_announced_and_hold_the_numbers(admin_client, company, settings):
    definitions.adopt(definitions.configured())
    settings.PLUMBLINE_ACTIVATION_EVENT = "report_viewed"
    text = page_text(admin_client)
    assert "PLUMBLINE_ACTIVATION_EVENT (workflow_created -> report_viewed)" in text
    assert "Held" in kpi_text(admin_client, "d7_retention")


def test_cohorts_show_complete_weeks(admin_client, company):
    monday = AS_OF - timedelta(days=AS_OF.weekday() + 14)
    count("signup_week", monday - timedelta(weeks=1), 40)
    count("signup_week", monday, 40)
    count("signup_week_retained", monday - timedelta(weeks=1), 20, number=1)
    count("signup_week_retained", monday, 10, number=1)
    newest, older = admin_client.get(URL).context["heat"]
    cells = [
        [(week.week, week.rate.value, level) for week, level in row.cells]
        for row in (newest, older)
    ]
    assert cells == [[(1, 0.25, 4)], [(1, 0.5, 8), (2, 0, 0)]]
    assert (len(newest.missing), len(older.missing)) == (11, 10)


def test_before_the_first_person_the_page_waits(admin_client):
    assert "Send the first event" in page_text(admin_client)


def test_the_waiting_page_becomes_the_dashboard(admin_client):
    waiting = admin_client.get(URL, headers=REFRESH).content.decode()
    person(NOW)
    ready = admin_client.get(URL, headers=REFRESH).content.decode()
    assert ("Send the first event" in waiting, "Alignment score" in waiting) == (True, False)
    assert ("Send the first event" in ready, "Alignment score" in ready) == (False, True)


def test_a_refresh_returns_the_part_that_changes(admin_client, company):
    markup = admin_client.get(URL, headers=REFRESH).content.decode()
    assert markup.lstrip().startswith('<div id="live"')
    assert "<html" not in markup


def test_without_a_counted_kpi_the_page_says_when_kpis_count(admin_client, time_machine):
    time_machine.move_to(NOW, tick=False)
    person(NOW)
    text = page_text(admin_client)
    assert "No KPI counts yet" in text
    assert "The score is" not in text


def test_a_company_without_demo_data_has_no_demo_label(admin_client, company):
    assert not Person.objects.filter(is_demo=True).exists()
    assert "Demo data" not in page_text(admin_client)


def html(client):
    response = client.get(URL)
    assert response.status_code == 200
    return response.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def page_text(client):
    return as_text(html(client))


def kpi_text(client, slug):
    return as_text(html(client).split(f'data-kpi="{slug}">')[1].split("</li>")[0])


def as_text(markup):
    without_tags = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", markup, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", without_tags))
