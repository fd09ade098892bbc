"""A08, O13: what an endpoint does not declare is refused by name, on every endpoint."""

from time import perf_counter
from typing import Any

import pytest
from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator
from rest_framework.response import Response
from rest_framework.serializers import BooleanField, CharField, Serializer
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from common.api.access import ANY_USER
from common.api.endpoint import Endpoint
from common.read_once import read_once
from operational.models import Delivery
from tests.api import refused, staff_client
from tests.urls import addresses

pytestmark = pytest.mark.django_db

SCHEMA = SchemaGenerator().get_schema(request=None, public=True)
OPERATIONS = [
    pytest.param(method, path, operation, id=f"{method} {path}")
    for path, operations in SCHEMA["paths"].items()
    for method, operation in operations.items()
]
NOT_REST = {  # Stripe's own body, and the page of the schema
    "/api/billing/stripe/webhook/<endpoint_id>/",
    "/api/docs/",
}


RESERVATION = "00000000-0000-4000-8000-000000000000"
PATH_VALUES = {"distinct_id": "ada", "reservation_id": RESERVATION, "id": 1}


def call(method, path, query=None, body=None, client=None) -> Any:
    path = path.format(**PATH_VALUES)
    send = getattr(client or staff_client(), method)
    if method != "get":
        return send(path, body, format="json", query_params=query)
    return send(path, query)


def names(operation, location="query"):
    return [p["name"] for p in operation.get("parameters", []) if p["in"] == location]


def fields(operation):
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return []
    reference = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return list(SCHEMA["components"]["schemas"][reference]["properties"])


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_a08_an_unknown_parameter_is_refused_on_every_endpoint(method, path, operation):
    response = call(method, path, query={"unknown": "1"})
    assert response.status_code == 400, response.content
    [error] = [error for error in response.json()["errors"] if error["field"] == "unknown"]
    assert error["message"].startswith("Unknown parameter")
    assert all(name in error["message"] for name in names(operation))


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_a08_a_misspelt_parameter_or_field_is_answered_with_the_right_one(method, path, operation):
    for name in names(operation):
        messages = call(method, path, query={f"{name.upper()}s": "1"}).json()["errors"]
        assert f"Did you mean {name}?" in messages[0]["message"]
    for name in fields(operation):
        messages = call(method, path, body={f"{name}_": "1"}).json()["errors"]
        assert f"Unknown field. Did you mean {name}?" in messages[0]["message"]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_a08_an_unknown_body_field_is_refused_on_every_endpoint(method, path, operation):
    if method == "get":
        return
    response = call(method, path, body={"unknown": 1})
    assert response.status_code == 400, response.content
    assert "unknown" in [error["field"] for error in response.json()["errors"]]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_a08_a_parameter_given_twice_is_refused(method, path, operation):
    for parameter in operation.get("parameters", []):
        name = parameter["name"]
        if parameter["in"] != "query" or parameter["schema"].get("type") == "array":
            continue
        errors = call(method, path, query={name: ["1", "2"]}).json()["errors"]
        assert {"field": name, "message": "Was given 2 times, and takes one value."} in errors


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_a08_a_blank_parameter_is_refused_rather_than_replaced_by_a_default(
    method, path, operation
):
    for name in names(operation):
        errors = call(method, path, query={name: " "}).json()["errors"]
        assert (name, "Must not be blank: give it a value, or leave it out.") in [
            (error["field"], error["message"]) for error in errors
        ]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_a08_strangers_learn_no_parameters(method, path, operation):
    assert call(method, path, query={"unknown": "1"}, client=APIClient()).status_code == 401


def test_a08_every_address_of_the_api_is_an_endpoint():
    for address in addresses():
        if address.template.startswith("/api/") and address.template not in NOT_REST:
            assert issubclass(getattr(address.view, "view_class", object), Endpoint), address


def test_a08_the_example_names_the_nearest_parameter():
    body = refused("analytics/funnel", steps="a,b", hours="24")
    assert body["detail"] == (
        "hours: Unknown parameter. Did you mean within_hours?"
        " Accepted: from, to, as_of, steps, within_hours."
    )


@pytest.mark.parametrize("path", ["daily-report", "weekly-report", "data-quality", "kpi-alerts"])
def test_o13_as_of_is_refused_where_there_is_no_past(path):
    body = refused(f"operational/{path}", as_of="2024-05-01")
    assert body["detail"] == "as_of: Unknown parameter: none are expected here."


@pytest.mark.parametrize("path", ["analytics/retention", "operational/kpi-status"])
def test_a08_endpoints_have_no_hidden_format_parameter(path):
    assert [error["field"] for error in refused(path, format="csv")["errors"]] == ["format"]


def test_a08_the_schema_itself_takes_no_parameters():
    assert staff_client().get("/api/schema/?lang=de").status_code == 400
    assert staff_client().get("/api/schema/").status_code == 200


def test_a08_every_unknown_name_is_reported_up_to_a_number():
    query = {f"x{number}": "1" for number in range(30)}
    assert len(refused("analytics/persons", **query)["errors"]) == 20


def test_a08_a_long_name_is_cut():
    [error] = refused("analytics/persons", **{"search" * 500: "1"})["errors"]
    assert error["field"] == ("search" * 500)[:100]


def test_a08_who_sends_a_report_to_some_is_refused_and_nothing_is_sent():
    path, body = "/api/operational/send-daily-report", {"to": "ada@example.com"}
    for form in ("json", "multipart"):
        response = staff_client().post(path, body, format=form)
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "to")
    response = call("post", path, body=["ada@example.com"])
    assert response.json()["detail"] == "No body is expected."
    assert not Delivery.objects.exists()


def test_a08_a_field_of_the_body_in_the_address_is_not_lost_in_silence():
    response = call("post", "/api/billing/usage/check", query={"distinct_id": "ada"})
    assert response.json()["detail"].startswith(
        "distinct_id: Not a query parameter: send it in the body, as JSON."
    )


@pytest.mark.parametrize(
    "body",
    ['{"amount": 1, "amount": 5}', '{"distinct_id": {"a": 1, "a": 1}}', '[{"a": 1, "a": 2}]'],
)
def test_a08_a_field_given_twice_is_refused_at_any_depth(body):
    response = staff_client().post(
        "/api/billing/usage/check", body, content_type="application/json"
    )
    assert response.status_code == 400
    assert "is there twice" in response.json()["detail"]


class Taken(Serializer):
    name = CharField()
    loud = BooleanField(default=False)


class Greeting(Endpoint):
    required_permission = ANY_USER
    query_class = {"GET": Taken}

    def get(self, _request):
        return Response(self.query)

    def delete(self, _request):
        return Response(self.query | self.body)


@read_once
def now() -> float:
    return perf_counter()


class Clock(Endpoint):
    required_permission = ANY_USER

    def get(self, _request):
        return Response(now() == now())

    post = get


def greet(method, path, body=None, view=Greeting):
    request = getattr(APIRequestFactory(), method)(path, body, format="json")
    force_authenticate(request, User(username="ada", is_staff=True))
    return view.as_view()(request)


def test_a08_what_is_declared_for_a_method_is_read_for_it_alone():
    assert greet("get", "/?name=ada&loud=1").data == {"name": "ada", "loud": True}
    assert greet("delete", "/").data == {}
    assert greet("delete", "/?name=ada").status_code == 400


def test_a08_head_takes_what_get_takes_and_others_stay_405():
    assert greet("head", "/?nam=ada").status_code == 400
    assert greet("head", "/?name=ada").status_code == 200
    assert greet("options", "/?anything=1").status_code == 200
    assert greet("put", "/?anything=1").status_code == 405


@pytest.mark.parametrize(("method", "once"), [("get", True), ("post", False)])
def test_a_request_that_changes_nothing_reads_once_what_its_parts_share(method, once):
    assert greet(method, "/", view=Clock).data is once
    assert now() != now()
