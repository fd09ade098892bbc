"""S07: every URL x method x caller. Who may do what is in `matrix.py`."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.test import Client

from analytics.models import DistinctId, Person
from common import queueing
from operational.models import Alert, AlertKind, PriorityAction
from tests.operational.access.callers import CALLERS, may, without_csrf
from tests.operational.access.matrix import CLASSIFIED, Route, routes
from tests.operational.kpi_data import NOW, a_filled_project

pytestmark = pytest.mark.django_db

SLOW = pytest.mark.slow
SAFE = "GET", "HEAD", "OPTIONS"
METHODS = [("GET", "POST"), pytest.param(("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"), marks=SLOW)]
BOOKKEEPING = {"operational_apitoken"}  # last uses
CSRF_EXEMPT = {
    "/api/billing/stripe/webhook/<endpoint_id>/",
    "/billing/checkout/<token>/",
    "/mail/preferences/<token>/",
    "/mail/webhooks/<provider>/",
    "/reports/unsubscribe/<token>/",
}
WRITE = re.compile(r"\b(?:INSERT INTO|(?<!FOR )UPDATE|DELETE FROM)\s+\"?(\w+)")
UUID = "6f1d3c0a-5b7e-4f57-9c1e-7f0c1d2b3a45"


@pytest.fixture(autouse=True)
def company(time_machine, monkeypatch, settings):
    """A company with an object for most pages, and no worker. Only GETs render their page."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"  # no queries
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_matrix"]
    monkeypatch.setattr(TemplateResponse, "rendered_content", property(rendered))
    time_machine.move_to(NOW, tick=False)
    monkeypatch.setattr(queueing, "enqueue", lambda *_, **__: None)
    a_filled_project()
    DistinctId.objects.create(distinct_id="ada", person=Person.objects.create(signup_at=NOW))
    Alert.objects.get_or_create(kind=AlertKind.KPI, subject="d7_retention")
    PriorityAction.objects.create(
        kind="kpi", subject="d7_retention", opened_at=NOW, refreshed_at=NOW
    )
    logging.disable()  # a line for each refusal
    yield
    logging.disable(logging.NOTSET)


def rendered(response: Any, render: Any = TemplateResponse.rendered_content) -> str:
    return render.fget(response) if response._request.method == "GET" else ""


def address(route: Route) -> str:
    """Return an address of a route, of an object that exists if there is one."""
    values = {
        "distinct_id": "ada", "person_id": Person.objects.get().pk, "slug": "d7_retention",
        "kind": "daily", "token": "nonsense", "url": "nonsense", "app_label": "analytics",
        "reservation_id": UUID, "endpoint_id": UUID, "content_type_id": 1, "object_id": 1,
        "reward_id": UUID, "provider": "postmark", "id": 1, "pk": _pk(route),
    }  # fmt: skip
    if route.model:
        values["object_id"] = getattr(apps.get_model(route.model)._default_manager.first(), "pk", 0)
    return re.sub(r"<(\w+)>", lambda match: str(values[match[1]]), route.path)


def _pk(route: Route) -> Any:
    models: dict[str, Any] = {"/actions/": PriorityAction, "/alerts/": Alert, "/person/": Person}
    return next((model.objects.get().pk for part, model in models.items() if part in route.path), 1)


@contextmanager
def written() -> Iterator[set[str]]:
    """Collect the tables that are written to."""
    tables: set[str] = set()

    def note(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        tables.update({*WRITE.findall(sql)} - BOOKKEEPING)
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        yield tables


def call(client: Client, method: str, path: str) -> tuple[HttpResponseBase, set[str]]:
    """Return the response and the tables that were written to, and undo it."""
    cookies = SimpleCookie(client.cookies)
    with transaction.atomic(), written() as tables:
        response = client.generic(method, path, content_type="application/x-www-form-urlencoded")
        b"".join(response if response.streaming else [])
        transaction.set_rollback(True)
    client.cookies = cookies  # it may have logged out
    return response, tables


def refused(response: HttpResponseBase) -> bool:
    return response.status_code in {401, 403} or "/admin/login/" in response.get("Location", "")


def problems(client: Client, route: Route, level: str, methods: Iterable[str]) -> Iterator[str]:
    """Yield what a caller of a level may not experience at a URL."""
    path = address(route)
    for method in methods:
        response, tables = call(client, method, path)
        if wrong := _problem(method, route, level, response, tables):
            yield f"{method} {path}: {response.status_code}, {wrong}"


def _problem(
    method: str, route: Route, level: str, response: HttpResponseBase, tables: set[str]
) -> str:
    reads, changes = route.levels
    needed = reads if method in SAFE else changes
    empty = response.status_code in ({405} if level == "public" else {302, 404, 405})
    if response.status_code >= 500:
        return "failed"
    if not may(level, reads) and not (refused(response) or empty):
        return f"not refused, although only {reads} may read"
    if not may(level, changes) and method not in SAFE and tables:
        return f"wrote {sorted(tables)}, although only {changes} may change"
    if may(level, needed) and method in route.supported and refused(response):
        return f"refused, although {needed} may"
    return ""


def test_every_url_is_classified_and_every_classified_url_exists():
    names = {route.model or route.path for route in routes()}
    assert names - {*CLASSIFIED} == set(), "Classify them in matrix.py"
    assert {*CLASSIFIED} - names == set(), "Remove them from matrix.py"


@pytest.mark.parametrize("methods", METHODS)
@pytest.mark.parametrize("name", CALLERS)
def test_s07_every_caller_may_do_what_its_level_may(name, methods):
    caller = CALLERS[name]
    client = caller.connect()
    wrong = [
        problem
        for route in routes()
        for problem in problems(client, route, caller.level(route), methods)
    ]
    assert not wrong, "\n".join(wrong)


def test_s07_a_session_without_the_csrf_token_changes_nothing():
    client = without_csrf()
    for route in routes():
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            response, tables = call(client, method, address(route))
            assert route.path in CSRF_EXEMPT or response.status_code in {403, 405}, (method, route)
            assert not tables, route
