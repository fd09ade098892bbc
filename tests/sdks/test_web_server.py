"""What the web server could break before a request reaches the front door."""

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


def test_a_request_with_16_kb_of_cookies_is_accepted(connection):
    assert post(connection, body(), Cookie="ph_phc_1_posthog=" + "x" * 16_000) == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_the_connection_survives_a_body_that_is_too_large(connection, chunked):
    large = body().ljust(MAX_BODY + 5_000_000)
    assert post(connection, iter([large]) if chunked else large) == 413
    assert post(connection, body()) == 200


@pytest.mark.parametrize(("method", "path"), [("POST", "/flags/?v=2"), ("PUT", "/batch/")])
def test_the_connection_survives_a_response_sent_before_the_body_is_read(connection, method, path):
    connection.request(method, path, body(filler="x" * 100_000))
    assert connection.getresponse().read()
    assert post(connection, body()) == 200
