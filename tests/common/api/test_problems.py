"""Every refused request under /api/ gets a problem object that says what is wrong."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from analytics.calculations.cells import CounterName
from analytics.models import Counter
from common.api import problems
from tests.api import get, refused, staff_client
from tests.tokens import bearer

pytestmark = pytest.mark.django_db

PATHS = [
    "retention",
    "retention/weekly",
    "active-users",
    "activation",
    "events",
    "persons",
]
ALL_PATHS = [*PATHS, "funnel", "persons/ada"]


@pytest.fixture
def staff():
    return User.objects.create_superuser("staff")


@pytest.fixture
def customer():
    return User.objects.create_user("customer")


def assert_problem(response, status):
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert set(body) == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    assert body["detail"]


@pytest.mark.parametrize("path", ALL_PATHS)
def test_without_a_token_the_answer_is_401_and_names_the_scheme(client, path):
    response = client.get(f"/api/analytics/{path}")
    assert_problem(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Bearer a b"])
def test_an_invalid_token_is_401(client, header):
    assert_problem(client.get("/api/analytics/persons", headers={"Authorization": header}), 401)


@pytest.mark.parametrize("path", ALL_PATHS)
def test_users_without_the_permission_are_refused(client, path, customer):
    assert_problem(client.get(f"/api/analytics/{path}", headers=bearer(customer)), 403)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_staff_with_a_token_get_an_answer_with_and_without_trailing_slash(
    client, path, slash, staff
):
    response = client.get(f"/api/analytics/{path}{slash}", headers=bearer(staff))
    assert response.status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_staff_with_a_session_get_an_answer(client, path, staff):
    client.force_login(staff)
    assert client.get(f"/api/analytics/{path}").status_code == 200


@pytest.mark.parametrize(
    ("path", "parameters", "field"),
    [
        ("retention", {"days": "1,x"}, "days"),
        ("retention", {"days": "-1"}, "days"),
        ("retention", {"days": ","}, "days"),
        ("retention", {"cohort": "other"}, "cohort"),
        ("retention", {"from": "yesterday"}, "from"),
        ("retention", {"from": "2024-05-02", "to": "2024-05-01"}, "to"),
        ("retention", {"from": "0001-01-01"}, "from"),
        ("retention", {"as_of": "2024-02-30"}, "as_of"),
        ("retention", {"as_of": "2999-01-01"}, "as_of"),
        ("retention/weekly", {"weeks": "-1"}, "weeks"),
        ("active-users", {"granularity": "year"}, "granularity"),
        ("active-users", {"from": "1990-01-01"}, "from"),
        ("active-users", {"from": "2024-05-02", "as_of": "2024-05-01"}, "from"),
        ("retention", {"from": "2024-05-02", "as_of": "2024-05-01"}, "from"),
        ("activation", {"from": "2024-05-02", "as_of": "2024-05-01"}, "from"),
        ("activation", {"to": "31.12.2024"}, "to"),
        ("funnel", {}, "steps"),
        ("funnel", {"steps": ",".join("abcdefghijk")}, "steps"),
        ("funnel", {"steps": "a,b", "within_hours": "0"}, "within_hours"),
        ("events", {"limit": "0"}, "limit"),
        ("events", {"limit": "201"}, "limit"),
        ("events", {"event": "a\0b"}, "event"),
        ("persons", {"signed_up_from": "x"}, "signed_up_from"),
        ("persons", {"search": "a\0b"}, "search"),
        ("persons", {"activated": "perhaps"}, "activated"),
    ],
)
def test_an_invalid_parameter_is_named(path, parameters, field):
    body = refused(f"analytics/{path}", **parameters)
    assert field in [error["field"] for error in body["errors"]]
    assert body["detail"]


def test_a_list_may_be_split_over_several_parameters():
    days = staff_client().get("/api/analytics/retention?days=1&days=2,3").json()["days"]
    assert [day["day"] for day in days] == [1, 2, 3]


def test_an_invalid_list_item_is_quoted():
    [error] = refused("analytics/retention", days="1,x,7")["errors"]
    assert error == {"field": "days", "message": "'x': A valid integer is required."}


@pytest.mark.parametrize(
    ("path", "longest", "more"),
    [
        ("analytics/active-users", 3660, {}),
        ("analytics/ingestion", 366, {}),
        ("analytics/ingestion", 31, {"by": "hour"}),
        ("billing/revenue/mrr", 3660, {}),
        ("billing/revenue/movements", 3660, {}),
    ],
)
def test_a08_a_range_has_at_most_as_many_days_as_its_limit_says(path, longest, more):
    last = date(2024, 5, 31)
    days = [last - timedelta(days=longest - 1), last - timedelta(days=longest)]
    get(path, from_=days[0].isoformat(), to=last.isoformat(), **more)
    body = refused(path, from_=days[1].isoformat(), to=last.isoformat(), **more)
    assert body["detail"] == f"from: The range must not be longer than {longest} days."


def test_a08_the_default_range_is_within_the_limit():
    Counter.objects.create(name=CounterName.ACTIVE_DAY, day=date(2010, 1, 1), number=0, value=1)
    answer = get("analytics/active-users", to="2024-05-31")
    assert (date(2024, 5, 31) - date.fromisoformat(answer["from"])).days == 3659


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_another_method_is_405(method):
    response = getattr(staff_client(), method)("/api/analytics/retention")
    assert_problem(response, 405)
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("path", ["/api/nothing", "/api/nothing/", "/api/analytics/nothing"])
def test_an_unknown_path_is_404(client, path):
    assert_problem(client.get(path), 404)


def test_outside_the_api_an_unknown_page_is_html(client):
    response = client.get("/nothing")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


def test_a_server_error_is_500_without_its_details(monkeypatch, staff):
    monkeypatch.setattr("analytics.insights.retention.day_retention", lambda **_: 1 / 0)
    client = Client(raise_request_exception=False)
    response = client.get("/api/analytics/retention", headers=bearer(staff))
    assert_problem(response, 500)
    assert "division" not in response.content.decode()


def test_an_unreadable_request_is_400():
    request = RequestFactory().get("/api/analytics/retention")
    response = problems.bad_request(request, Exception())
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"


def test_nested_fields_are_joined_by_dots():
    errors = problems._field_errors({"a": {"b": ["no"]}, "c": [{}, {"d": ["nor"]}]})
    assert [error["field"] for error in errors] == ["a.b", "c.1.d"]
