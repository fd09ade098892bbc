"""The recorder of tests/sdks/record.py keeps what SDKs send, and answers them."""

import base64
import gzip
import http.client
import json
import re
import signal
import subprocess
import sys
from urllib.parse import quote, urlsplit

import pytest
import zstandard

from tests.processes import ROOT
from tests.sdks.record import KEY, Recorder
from tests.sdks.recorded_bodies import sent_body, stored_body

EVENT = {"api_key": KEY, "event": "used", "distinct_id": "ada", "name": "Tinte 🖋"}


def post(url, path, body, **headers):
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request(
        "POST", path, body, {name.replace("_", "-"): headers[name] for name in headers}
    )
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, json.loads(content)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (json.dumps(EVENT).encode(), ""),
        (json.dumps(EVENT, separators=(",", ":"), ensure_ascii=False).encode(), ""),
        (gzip.compress(json.dumps(EVENT).encode(), mtime=0), "gzip"),
        (zstandard.ZstdCompressor().compress(json.dumps(EVENT).encode()), "zstd"),
        (b"data=" + quote(base64.b64encode(json.dumps(EVENT).encode()), safe="").encode(), ""),
        (b'{"n": 1.50, "n": 2}', ""),  # rare JSON stays a text
        (b"", ""),
    ],
)
def test_a_stored_body_is_sent_again_byte_by_byte(body, encoding):
    assert sent_body(json.loads(json.dumps(stored_body(body, encoding, [])))) == body


def test_a_request_is_kept_without_what_says_where_it_was_made():
    with Recorder(replacements=[("/home/eve/", "/app/")]) as recorder:
        body = json.dumps(EVENT | {"file": "/home/eve/shop.py"})
        assert post(recorder.url, "/batch/", body, User_Agent="x/1") == (200, {"status": 1})
    (request,) = recorder.requests
    assert (request["method"], request["path"]) == ("POST", "/batch/")
    assert request["headers"] == {"User-Agent": "x/1"}
    assert request["json"]["file"] == "/app/shop.py"


def test_a_body_in_chunks_is_kept():
    with Recorder() as recorder:
        post(recorder.url, "/batch", iter([b'{"a":', b"1}"]))
    assert recorder.requests[0]["json"] == {"a": 1}


def test_requests_are_answered_as_sdks_need_it():
    batch = gzip.compress(json.dumps({"batch": [{"uuid": "u1"}]}).encode())
    with Recorder() as recorder:
        v1 = post(recorder.url, "/i/v1/analytics/events", batch, Content_Encoding="gzip")
        flags = post(recorder.url, "/flags/?v=2", b"{}")
        config = post(recorder.url, f"/array/{KEY}/config", b"")
    assert v1 == (200, {"results": {"u1": {"result": "ok"}}})
    assert (flags[1]["flags"], config[1]["token"]) == ({}, KEY)


def test_the_command_writes_a_file_for_the_sdk_and_its_version(tmp_path):
    path = tmp_path / "posthog-x-1.2.json"
    command = [sys.executable, "-m", "tests.sdks.record", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        (url,) = re.findall(r"http://\S+(?=,)", process.stdout.readline())
        post(url, "/e/", json.dumps(EVENT))
        process.send_signal(signal.SIGINT)
    recording = json.loads(path.read_text())
    assert (recording["sdk"], recording["version"]) == ("posthog-x", "1.2")
    assert recording["requests"][0]["json"] == EVENT
