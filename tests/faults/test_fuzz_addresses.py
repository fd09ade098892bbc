"""S12: no address fails, whatever is in its path, its query or its body.

The front door, which answers capture requests before Django, is in `test_fuzz.py`.
"""

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import pytest
from django.contrib import admin
from django.core.signals import got_request_exception

from analytics.ingestion import ingest
from tests import sdk
from tests.events import record
from tests.urls import Address, addresses

pytestmark = pytest.mark.django_db

JSON, FORM, FILES = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
LONG = "9" * 5_000
IDS = [
    *("0", "1", "-1", "1.5", "NaN", "99999999999999999999", LONG, "%D9%A3", "a%00b", "_00"),
    *("_5B", "_", "%ff", "%ed%a0%80", "%0a", "a" * 300, "..%2f", "_2F_3F", "daily", "add"),
    "00000000-0000-0000-0000-000000000000",
]
QUERIES = [
    *("p=abc", "p=-1", f"p={LONG}", "page=abc", f"page={LONG}", "o=99999", "o=a.b.-c", f"o={LONG}"),
    *("q=%00", "q=%ff", f"q={LONG}", "all=yes", "e=1", "_to_field=zzz", "_popup=zzz", "cursor=%00"),
    *("pk__exact=zzz", "id__gt=99999999999999999999", "id__in=,", "id__isnull=zzz", "zzz__zzz=1"),
    *("limit=1e9", f"limit={LONG}", "days=1e999", "from=0000-00-00", "as_of=9999-12-31", "a&" * 9),
    *("distinct_id=%00", "distinct_id=%ff", f"distinct_id={LONG}", "as_of=0001-01-01", "steps=%00"),
]
LOOKUPS = ["{0}=zzz", "{0}__exact=zzz", "{0}__exact=%ff", "{0}__gte=zzz", "{0}__isnull=zzz"]
NUMBERS = [b"9" * 5_000, b"1e999", b"-1e999", b"NaN", b"9" * 30, b"-1", b"0.1", b"1e15"]
TEXTS = [rb'"\ud800"', rb'"a\u0000"', b'"\xff"', b'"\xed\xa0\x80"', b'"' + b"a" * 5_000 + b'"']
VALUES = [*NUMBERS, *TEXTS, *b'null true [] {} [[]] "" "1" {"a":{}}'.split()]
FIELDS = (
    "distinct_id meter amount idempotency_key reservation plan price quantity success_url to"
    " return_url subscription at_period_end preview day kind limit"
).split()
DEEP = b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000
NESTED = b"[" * 900 + b"]" * 900, b'{"distinct_id":' * 900 + b"1" + b"}" * 900
BODIES = [
    *DEEP,
    *NESTED,
    *VALUES,
    b"",
    b"[",
    b'{"a":1',
    b'{"distinct_id":"ada"} x',
    b"\xef\xbb\xbf{}",
]
FORMS = [
    *(b"", b"a=%00&b=%ff", b"action=%00", b"action=delete_selected&_selected_action=%00"),
    b"action=delete_selected&_selected_action=zzz&index=zzz&select_across=zzz",
    b"action=delete_selected&_selected_action=%b&post=yes" % LONG.encode(),
    b"channel=zzz&email=zzz&distinct_id=%ff&other=zzz&confirmed=zzz&excluded=zzz&hours=1e999",
    b"form-TOTAL_FORMS=zzz&form-INITIAL_FORMS=99999999&_save=1&id=zzz&kpi=zzz",
    *(b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\0\r\n--x--\r\n'),
]
CONTENT_TYPES = [
    *(JSON, FORM, FILES, f"{FILES}; boundary=x", "text/plain", "", "a/b;c=;d"),
    *(f"{JSON}; charset=utf-16", f"{JSON}; charset=zzz", f"{FORM}; charset=zzz"),
]


@dataclass(frozen=True)
class Sent:
    """A request of a member of staff."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = JSON


@pytest.fixture
def staff(admin_client):
    """A superuser's session; a person and a project key have pages."""
    sdk.key()
    ingest.store([record(distinct_id="ada")])
    admin_client.raise_request_exception = False
    return admin_client


def test_s12_no_address_fails(staff):
    some = random.Random(12).sample(sorted(requests(), key=repr), 500)
    assert failures(staff, some) == []


@pytest.mark.slow
def test_s12_no_address_fails_with_an_eighth_of_all_requests(staff):
    """All of them take too long for every change."""
    assert failures(staff, islice(requests(), 0, None, 8)) == []


def failures(client, requests) -> list[tuple[str, str]]:
    """Return the requests that failed, each kind of error once, with the error."""
    errors: list[object] = []
    failed: dict[str, str] = {}

    def note(sender: Any, **_: Any) -> None:
        errors.append(sys.exc_info()[1])

    got_request_exception.connect(note)
    try:
        for request in requests:
            answer = client.generic(
                request.method, request.path, request.body, request.content_type
            )
            if answer.status_code == 500:
                error = repr(errors[-1])[:200] if errors else ""
                failed.setdefault(
                    error, f"{request.method} {request.path[:200]} {request.body[:80]!r}"
                )
    finally:
        got_request_exception.disconnect(note)
    return list(failed.items())


def requests() -> Iterator[Sent]:
    """Yield every odd request to every address; a session that ends would hide the rest."""
    for address in addresses():
        if address.template.endswith("logout/"):
            continue
        first = Sent("GET", address.path(IDS[1]))
        for text in IDS if address.parameters else IDS[:1]:
            yield Sent("GET", address.path(text))
        for method in ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "ZZZ"):
            yield replace(first, method=method)
        for query in [*QUERIES, *lookups(address)]:
            yield replace(first, path=f"{first.path}?{query}")
        yield from bodies(address, first.path)


def bodies(address: Address, path: str) -> Iterator[Sent]:
    is_api = path.startswith("/api/")
    for body in BODIES if is_api else FORMS:
        yield Sent("POST", path, body, JSON if is_api else FORM)
        yield Sent("POST", path, body, f"{FILES}; boundary=x")
    for content_type in CONTENT_TYPES:
        yield Sent("POST", path, b"a=1", content_type)
    for field in FIELDS if is_api else ():
        for value in VALUES:
            yield Sent("POST", path, b'{"distinct_id":"ada","%b":%b}' % (field.encode(), value))


def lookups(address: Address) -> Iterator[str]:
    """Yield queries of the filters of a list in the admin."""
    for model, page in admin.site._registry.items():
        name = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        if address.template == name:
            filters = [each[0] if isinstance(each, tuple) else each for each in page.list_filter]
            for each in filters:
                field = each if isinstance(each, str) else getattr(each, "parameter_name", "")
                yield from (lookup.format(field) for lookup in LOOKUPS)
            if page.date_hierarchy:
                yield from (f"{page.date_hierarchy}__year={text}" for text in ("zzz", "0", LONG))
