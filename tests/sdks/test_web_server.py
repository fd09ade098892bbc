"""What the web server itself could spoil before a request reaches the front door."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from analytics.calculations.records import MAX_BODY
from analytics.models import Event
from tests import sdk

EVENT = {"event": "used", "distinct_id": "ada"}


@pytest.fixture
def connection(server):
    connection = http.client.HTTPConnection(urlsplit(server).netloc)
    yield connection
    connection.close()


def post(connection, body, **headers):
    connection.request("POST", "/batch/", body, headers)
    response = connection.getresponse()
    response.read()
    return response.status


def body(**fields):
    return json.dumps({"api_key": sdk.key(), "batch": [EVENT]} | fields).encode()


def test_a_body_in_chunks_is_stored(connection):
    whole = body()
    assert post(connection, iter([whole[:20], whole[20:]])) == 200  # without Content-Length
    sdk.ingest()
    assert Event.objects.count() == 1


def test_a_page_full_of_cookies_may_send(connection):
    assert post(connection, body(), Cookie="ph_phc_1_posthog=" + "x" * 16_000) == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_after_a_body_that_is_too_large_the_connection_goes_on(connection, chunked):
    large = body().ljust(MAX_BODY + 5_000_000)
    assert post(connection, iter([large]) if chunked else large) == 413
    assert post(connection, body()) == 200


@pytest.mark.parametrize(("method", "path"), [("POST", "/flags/?v=2"), ("PUT", "/batch/")])
def test_an_answer_that_needs_no_body_leaves_the_connection_usable(connection, method, path):
    connection.request(method, path, body(filler="x" * 100_000))
    assert connection.getresponse().read()
    assert post(connection, body()) == 200
