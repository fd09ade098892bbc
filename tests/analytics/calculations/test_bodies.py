"""Bodies in every shape and compression that SDKs send, up to a bound."""

import base64
import gzip
import json
import tracemalloc
import zlib
from urllib.parse import quote

import brotli
import pytest
import zstandard

from analytics.calculations.compression import compress, decompress
from analytics.calculations.records import MAX_BODY, MAX_EVENT, TooLarge
from analytics.models import Event, InboxRequest, RejectedEvent
from tests import sdk

pytestmark = pytest.mark.django_db

EVENT = {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"}
JSON, FORM, TEXT = "application/json", "application/x-www-form-urlencoded", "text/plain"

SHAPES = {
    "a batch": lambda key: {"api_key": key, "batch": [EVENT]},
    "a batch with token": lambda key: {"token": key, "batch": [EVENT], "sent_at": None},
    "a migration": lambda key: {"api_key": key, "batch": [EVENT], "historical_migration": True},
    "an array": lambda key: [EVENT | {"properties": {"token": key}}],
    "an array with $token": lambda key: [EVENT | {"$token": key}],
    "an event": lambda key: EVENT | {"api_key": key},
    "an event with token": lambda key: EVENT | {"token": f" {key}\n"},
    "an event that names it in properties": lambda key: EVENT | {"properties": {"token": key}},
}


def form(text):
    return b"data=" + quote(base64.b64encode(text)).encode()


def in_two(compress, text):
    return compress(text[:20]) + compress(text[20:])


WRAPPINGS = {
    "plain": (lambda text: text, JSON, ""),
    "gzip": (gzip.compress, JSON, "gzip"),
    "gzip without a header": (gzip.compress, TEXT, ""),
    "plain that a header calls gzip": (lambda text: text, JSON, "gzip"),
    "deflate": (zlib.compress, JSON, "deflate"),
    "gzip in two members": (lambda text: in_two(gzip.compress, text), JSON, "gzip"),
    "gzip filled with zeros": (lambda text: gzip.compress(text) + bytes(512), JSON, "gzip"),
    "zstd": (zstandard.compress, JSON, "zstd"),
    "zstd in two frames": (lambda text: in_two(zstandard.compress, text), JSON, "zstd"),
    "Brotli": (brotli.compress, JSON, "br"),
    "form": (form, FORM, ""),
    "form without a header": (form, TEXT, ""),
    "form of gzip": (lambda text: form(gzip.compress(text)), FORM, ""),
    "form of plain JSON": (lambda text: b"data=" + quote(text).encode(), FORM, ""),
    "plain that a header calls a form": (lambda text: text, FORM, ""),
}


def error_of(body):
    answer = sdk.post("/batch/", body)
    return answer.status_code, answer.json()["error"]


def sized(size, **fields):
    """Return an event of exactly `size` bytes of JSON."""
    event = EVENT | fields | {"properties": {"x": ""}}
    event["properties"]["x"] = "x" * (size - len(json.dumps(event)))
    return event


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_in_every_encoding_gives_its_event(shape, wrapping):
    wrapped, content_type, encoding = wrapping
    body = wrapped(json.dumps(shape(sdk.key())).encode())
    answer = sdk.post("/e/", body, content_type, HTTP_CONTENT_ENCODING=encoding)
    assert answer.status_code == 200, answer.content
    sdk.ingest()
    assert (Event.objects.get().distinct_id, RejectedEvent.objects.count()) == ("ada", 0)


def test_text_in_a_form_is_unchanged():
    text = "a b+c ü 漢 %20"
    event = EVENT | {"api_key": sdk.key(), "properties": {"text": text}}
    for body in (
        form(json.dumps(event).encode()),
        b"data=" + quote(json.dumps(event, ensure_ascii=False)).encode(),
    ):
        sdk.post("/e/", body, FORM)
    sdk.ingest()
    assert {event.properties["text"] for event in Event.objects.all()} == {text}


@pytest.mark.parametrize(
    ("token", "error"),
    [
        (None, "api_key: missing"),
        ("  ", "api_key: missing"),
        (7, "api_key: missing"),
        ("x" * 65, "api_key: longer than 64 characters"),
        ("phc_\u00e9", "api_key: not ASCII"),
        ("phx_personal", "api_key: a personal key; use a project key"),
        ("x" * 64, "api_key: unknown or revoked"),
        ("phc_unknown", "api_key: unknown or revoked"),
    ],
)
def test_an_invalid_token_is_a_401_that_says_why(token, error):
    assert error_of({"api_key": token, "batch": [EVENT]}) == (401, error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'{"batch": 7}',
        b"\x1f\x8b\x08broken",
        gzip.compress(b"{" * 100, mtime=0)[:-9],
        b"\x28\xb5\x2f\xfdbroken",
        b"data=%%%",
        b"data=",
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_an_unreadable_body_is_a_400(body):
    assert error_of(body)[0] == 400


@pytest.mark.parametrize(
    ("wrap", "encoding"),
    [
        (gzip.compress, "gzip"),
        (zstandard.compress, "zstd"),
        (zlib.compress, "deflate"),
        (brotli.compress, "br"),
    ],
)
@pytest.mark.parametrize("end", ["another document", "other bytes", "nothing"])
def test_a06_what_follows_a_document_is_never_lost_in_silence(wrap, encoding, end):
    document = wrap(json.dumps(SHAPES["a batch"](sdk.key())).encode())
    body = {
        "another document": 2 * document,
        "other bytes": document + b"rest",
        "nothing": document[:-6],
    }
    answer = sdk.post("/batch/", body[end], HTTP_CONTENT_ENCODING=encoding)
    assert (answer.status_code, InboxRequest.objects.count()) == (400, 0)


def test_s04_a_body_in_very_many_members_is_refused_at_once():
    """Each member costs a copy of the rest: 400,000 of them took a thread for minutes."""
    answer = sdk.post("/batch/", 400_000 * gzip.compress(b""), HTTP_CONTENT_ENCODING="gzip")
    assert (answer.status_code, "16 members" in answer.json()["error"]) == (400, True)


def test_an_empty_batch_is_a_400_that_says_so():
    assert error_of({"api_key": sdk.key(), "batch": []}) == (400, "batch: empty")


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, zstandard.compress])
def test_20_mb_are_accepted_and_a_byte_more_is_a_413(wrap):
    body = json.dumps({"api_key": sdk.key(), "batch": [EVENT]}).encode().ljust(MAX_BODY)
    assert sdk.post("/batch/", wrap(body)).status_code == 200
    assert error_of(wrap(body + b" "))[0] == 413


def test_a_body_without_length_is_read_up_to_the_limit():
    sent = {"api_key": sdk.key(), "batch": [EVENT]}
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    assert sdk.post("/batch/", sent, **chunked).status_code == 200
    assert sdk.post("/batch/", bytes(MAX_BODY + 1), **chunked).status_code == 413


def streamed(text):
    """Return zstd that does not state its decompressed length."""
    stream = zstandard.ZstdCompressor().compressobj()
    return stream.compress(text) + stream.flush()


def test_zstd_without_its_length_is_decompressed():
    assert decompress(streamed(b"[1]")) == b"[1]"


@pytest.mark.parametrize(
    "bomb",
    [wrap(bytes(200_000_000)) for wrap in (gzip.compress, zstandard.compress, streamed)],
    ids=["gzip", "zstd", "zstd of unknown length"],
)
def test_a_decompression_bomb_stops_at_the_limit(bomb):
    tracemalloc.start()
    with pytest.raises(TooLarge):
        decompress(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * MAX_BODY


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, zstandard.compress, streamed])
def test_a_compressed_body_decompresses_to_the_same(wrap):
    body = wrap(json.dumps([EVENT] * 100).encode())
    assert decompress(compress(body)) == decompress(body)


def test_only_a_large_plain_body_is_compressed():
    small, large = json.dumps([EVENT]).encode(), json.dumps([EVENT] * 100).encode()
    assert len(compress(large)) < len(large) / 8
    for body in (small, gzip.compress(large), zstandard.compress(large)):
        assert compress(body) is body


def test_an_event_of_2_mb_is_accepted_and_a_byte_more_is_a_413():
    key = sdk.key()
    assert sdk.post("/e/", sized(MAX_EVENT, api_key=key)).status_code == 200
    assert sdk.post("/e/", sized(MAX_EVENT + 1, api_key=key)).status_code == 413
    assert RejectedEvent.objects.get().reason == "too_large"


def test_p01_an_event_that_is_too_large_does_not_affect_the_others():
    body = {"api_key": sdk.key(), "batch": [EVENT, sized(MAX_EVENT + 1), EVENT]}
    assert sdk.post("/batch/", body).status_code == 200
    sdk.ingest()
    assert (Event.objects.count(), RejectedEvent.objects.get().reason) == (2, "too_large")


@pytest.mark.parametrize("path", ["/e/?beacon=1", "/e/?beacon=1&compression=gzip-js"])
def test_a_beacon_is_answered_with_204(path):
    answer = sdk.post(path, EVENT | {"api_key": sdk.key()})
    assert (answer.status_code, answer.content) == (204, b"")
    assert InboxRequest.objects.count() == 1
