"""Spend by API. Amounts are cents."""

import pytest
from rest_framework.test import APIClient

from growth.models import SpendDay
from tests.api import staff_client
from tests.growth.spend.company import line, record, stored
from tests.staff import member
from tests.tokens import bearer

pytestmark = pytest.mark.django_db
URL = "/api/growth/spend/"
ROW = {"channel": "Google Ads", "day": "2024-06-01", "amount": 100}


def put(*rows, client=None):
    return (client or staff_client()).put(URL, {"rows": rows}, format="json")


def test_rows_are_stored_once():
    first, again = put(ROW), put(ROW)
    assert first.json() == {
        "added": 1,
        "replaced": [],
        "converted": 0,
        "unchanged": 0,
        "held_currencies": [],
    }
    assert (again.json()["added"], again.json()["unchanged"]) == (0, 1)
    assert stored() == [(1, 100, 100)]


def test_what_is_replaced_is_said():
    put(ROW)
    (row,) = put(ROW | {"amount": 200, "currency": "USD"}).json()["replaced"]
    assert row == {
        "channel": "google",
        "campaign": "",
        "day": "2024-06-01",
        "amount_before": 100,
        "currency_before": "usd",
        "amount": 200,
        "currency": "usd",
    }


def test_a_range_is_spread_and_currencies_without_a_rate_are_named():
    row = {"channel": "x", "from": "2024-06-01", "to": "2024-06-03", "amount": 10}
    assert put(row | {"currency": "eur"}).json()["held_currencies"] == ["eur"]
    assert stored() == [(1, 3, None), (2, 3, None), (3, 4, None)]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": -1},
        {"amount": "100"},
        {"amount": 1.5},
        {"amount": 10**15 + 1},
        {"day": "yesterday"},
        {"from": "2024-06-01", "to": "2024-06-02"},
        {"channel": ""},
        {"channel": "--"},
        {"campaign": "c" * 201},
        {"currency": "dollars"},
        {"unknown": 1},
    ],
)
def test_a_row_that_cannot_be_stored_is_refused(change):
    assert put({**ROW, **change}).status_code == 400
    assert not SpendDay.objects.exists()


@pytest.mark.parametrize(
    "row",
    [
        {"channel": "x", "amount": 1},
        {"channel": "x", "amount": 1, "from": "2024-06-01"},
        {"channel": "x", "amount": 1, "to": "2024-06-01"},
        {"channel": "x", "amount": 1, "from": "2024-06-02", "to": "2024-06-01"},
    ],
)
def test_a_row_needs_a_day_or_a_range(row):
    assert put(row).status_code == 400


def test_all_rows_are_stored_or_none():
    assert put(ROW, ROW | {"channel": "x", "amount": -1}).status_code == 400
    assert put().status_code == 400
    assert not SpendDay.objects.exists()


def test_rows_that_share_a_day_are_refused():
    response = put(ROW, ROW | {"channel": "adwords"})
    assert response.status_code == 400
    assert "is in line 1, too" in response.content.decode()


def test_the_list_is_filtered_and_paged():
    record(line(90, "2024-06-01", "2024-06-03"), line(1, channel="x"))
    client = staff_client()
    page = client.get(f"{URL}?channel=adwords&from=2024-06-02&limit=1").json()
    assert [row["day"] for row in page["results"]] == ["2024-06-03"]
    following = client.get(page["next"]).json()
    assert [row["day"] for row in following["results"]] == ["2024-06-02"]
    assert following["next"] is None
    assert following["results"][0]["reporting_currency"] == "usd"


def test_days_are_deleted():
    record(line(90, "2024-06-01", "2024-06-03"))
    query = "?channel=Google-Ads&from=2024-06-01&to=2024-06-02"
    assert staff_client().delete(URL + query).json() == {"deleted": 2}
    assert stored() == [(3, 30, 30)]
    assert staff_client().delete(URL).status_code == 400


@pytest.mark.parametrize(
    ("scope", "group", "status"),
    [
        ("growth:write", "Operator", 200),
        ("growth:read", "Operator", 403),
        ("growth:write", "Analyst", 403),
        ("billing:write", "Operator", 403),
    ],
)
def test_writing_needs_the_scope_and_the_permission(scope, group, status):
    client = APIClient(headers=bearer(member(group), scope))
    assert put(ROW, client=client).status_code == status


def test_a_viewer_reads():
    client = APIClient(headers=bearer(member("Viewer"), "growth:read"))
    assert client.get(URL).status_code == 200
