"""Everything that reads: each URL, quality check, KPI and report, and what commands print."""

import re
from collections.abc import Iterator
from io import StringIO

from django.apps import apps
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from analytics.models import Person
from common import data_quality
from operational.calculations.catalogue import CATALOGUE
from operational.kpis import sources
from operational.models import Alert, PriorityAction
from tests.operational.access.matrix import Route, routes
from tests.operational.kpi_data import AS_OF

COMMANDS = [("revenue",), ("revenue", "--json"), ("kpis",)]
ABOUT = {"distinct_id": "ada"}
QUERIES = {  # of the pages that need one
    "/api/billing/usage/": ABOUT,
    "/api/billing/stripe/subscription/": ABOUT,
    "/api/billing/stripe/invoices/": ABOUT,
    "/api/analytics/funnel/": {"steps": "used,used"},
    "/admin/analytics/funnel/": {"steps": "used,used"},
    "/admin/billing/revenue/": {"from": "2026-01-10"},
}
UUID = "6f1d3c0a-5b7e-4f57-9c1e-7f0c1d2b3a45"
CHANGING = re.compile(  # in every response: tokens, and ids made for the page
    r'name="csrfmiddlewaretoken" value="[^"]*"|data-csrf="[^"]*"|nonce="[^"]*"'
    r'|"X-CSRFToken": "[^"]*"|csrfToken[^,]*|[\d.]+ GiB free'
)


def addresses(person: Person) -> list[str]:
    """Return the addresses of all pages; those of a single person or row are about `person`."""
    return [path for route in routes() for path in _addresses(route, person)]


def everything(client: Client, paths: list[str]) -> dict[str, str]:
    """Return what every reader says."""
    said = {f"check {slug}": repr(check.run(now=timezone.now())) for slug, check in _checks()}
    for slug in CATALOGUE:
        figures = sources.related_figures(slug, as_of=AS_OF)
        said[f"figures {slug}"] = repr(figures)
    for command in COMMANDS:
        out = StringIO()
        call_command(*command, stdout=out)
        said[f"command {' '.join(command)}"] = out.getvalue()
    return said | {path: _read(client, path) for path in paths}


def _read(client: Client, path: str) -> str:
    """Return status and content of a page, without what differs between equal pages."""
    response = client.get(path, QUERIES.get(path, {}))
    content = b"".join(response) if response.streaming else response.content
    return f"{response.status_code} {CHANGING.sub('', content.decode(errors='replace'))}"


def _checks() -> Iterator[tuple[str, data_quality.Check]]:
    return iter(data_quality.checks().items())


def _addresses(route: Route, person: Person) -> Iterator[str]:
    """Yield the addresses of a route: of every KPI and report, else of a row that exists."""
    values = {
        "distinct_id": "ada",
        "person_id": person.pk,
        "token": "nonsense",
        "url": "nonsense",
        "reservation_id": UUID,
        "endpoint_id": UUID,
        "content_type_id": 1,
        "id": 1,
        "pk": _pk(route, person),
        "object_id": _object_id(route, person),
    }
    several = {"slug": [*CATALOGUE], "kind": ["daily", "weekly"], "app_label": apps.app_configs}
    paths = [re.sub(r"<(\w+)>", lambda m: str(values.get(m[1], m[0])), route.path)]
    for name, choices in several.items():
        paths = [path.replace(f"<{name}>", choice) for path in paths for choice in choices]
    yield from dict.fromkeys(paths)


def _pk(route: Route, person: Person) -> int:
    for part, model in {"/actions/": PriorityAction, "/alerts/": Alert}.items():
        if part in route.path:
            row = model._default_manager.first()
            return row.pk if row else 0
    return person.pk


def _object_id(route: Route, person: Person) -> object:
    if not route.model:
        return 0
    model = apps.get_model(route.model)
    return person.pk if model is Person else getattr(model._default_manager.first(), "pk", 0)
