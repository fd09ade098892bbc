"""Every address that SDKs ask, from pages of any origin."""

import base64
import gzip
import json
from urllib.parse import quote, urlencode

import pytest

from analytics.models import Event, InboxRequest
from tests import sdk

pytestmark = pytest.mark.django_db

EVENT = {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"}
UUID = "018f0000-0000-7000-8000-000000000001"
SHOP = "https://shop.example.com"
V0 = ["/e", "/i/v0/e", "/i/v0/ai/batch", "/capture", "/track", "/engage", "/batch"]
V1 = "/i/v1/analytics/events"
V1_PATHS = [V1, "/i/v1/ai/events"]
FLAGS = ["/flags", "/decide"]
CONFIG = ["/array/phc_1/config", "/array/phc_1/config.js"]


def with_and_without_slash(paths):
    return pytest.mark.parametrize("path", [path + end for path in paths for end in ("", "/")])


def allowed(answer):
    return {
        name.removeprefix("Access-Control-"): value
        for name, value in answer.headers.items()
        if name.startswith("Access-Control-")
    }


@with_and_without_slash(V0)
def test_an_accepted_post_is_answered_with_exactly_200_and_status_1(path):
    answer = sdk.post(path, {"api_key": sdk.key(), "batch": [EVENT]})
    assert (answer.status_code, answer.content) == (200, b'{"status":1}')
    assert answer.headers["Content-Type"] == "application/json"
    assert InboxRequest.objects.count() == 1


@with_and_without_slash(V0)
def test_a_get_carries_base64_in_data(path):
    data = base64.b64encode(json.dumps(EVENT | {"api_key": sdk.key()}).encode()).decode()
    answer = sdk.request("GET", f"{path}?{urlencode({'data': data, 'ip': 1, 'ver': '1.2'})}")
    assert (answer.status_code, answer.json()) == (200, {"status": 1})
    sdk.ingest()
    assert Event.objects.get().event == "used"


def test_a_get_can_carry_plain_json_in_data():
    data = quote(json.dumps([EVENT | {"properties": {"token": sdk.key()}}]))
    assert sdk.request("GET", f"/e/?data={data}").status_code == 200


@with_and_without_slash(V1_PATHS)
def test_v1_is_answered_by_uuid(path):
    batch = {"batch": [EVENT | {"uuid": UUID}]}
    answer = sdk.post(path, batch, HTTP_AUTHORIZATION=f"Bearer {sdk.key()}")
    assert (answer.status_code, answer.json()) == (200, {"results": {UUID: {"result": "ok"}}})


@with_and_without_slash(FLAGS)
@pytest.mark.parametrize("version", ["", "?v=1", "?v=2", "?v=3", "?v=4&config=true"])
def test_a_request_for_flags_gets_an_empty_list(path, version):
    answer = sdk.post(path + version, {"api_key": "phc_any", "distinct_id": "ada"})
    assert answer.status_code == 200
    assert answer.json() == {
        "flags": {},
        "featureFlags": {},
        "featureFlagPayloads": {},
        "errorsWhileComputingFlags": False,
    }


@with_and_without_slash(["/array/phc_1/config"])
def test_the_remote_configuration_switches_off_unsupported_features(path):
    config = sdk.request("GET", path).json()
    assert (config["token"], config["supportedCompression"]) == ("phc_1", ["gzip-js", "base64"])
    assert not config["sessionRecording"]
    assert config["autocapture_opt_out"] is False  # without it posthog-js captures no clicks
    assert not config["surveys"]
    assert not config["hasFeatureFlags"]


@with_and_without_slash(["/array/phc_1/config.js"])
def test_the_remote_configuration_is_available_as_a_script(path):
    answer = sdk.request("GET", path)
    assert answer.headers["Content-Type"] == "application/javascript"
    assert b'_POSTHOG_REMOTE_CONFIG["phc_1"]={"config": {"token": "phc_1"' in answer.content


def test_a_token_cannot_break_out_of_the_script():
    answer = sdk.request("GET", '/array/"];alert(1);"<img>/config.js')
    assert b'["\\"];alert(1);\\"\\u003cimg>"]' in answer.content


@with_and_without_slash([*V0, *V1_PATHS, *FLAGS, *CONFIG])
def test_a_browser_can_send_requests_from_any_origin_with_any_header(path):
    headers = "authorization,content-type,posthog-request-id"
    answer = sdk.request(
        "OPTIONS", path, HTTP_ORIGIN=SHOP, HTTP_ACCESS_CONTROL_REQUEST_HEADERS=headers
    )
    assert answer.status_code == 204
    assert allowed(answer) == {
        "Allow-Origin": SHOP,
        "Allow-Credentials": "true",
        "Allow-Headers": headers,
        "Allow-Methods": "GET, POST, OPTIONS",
        "Expose-Headers": "Retry-After, PostHog-Request-Id",
        "Max-Age": "86400",
    }


@pytest.mark.parametrize("path", ["/e/", "/flags/", V1, "/array/nothing"])
def test_a_page_can_read_every_response_including_errors(path):
    answer = sdk.post(path, "not json", HTTP_ORIGIN=SHOP)
    assert allowed(answer) == {
        "Allow-Origin": SHOP,
        "Allow-Credentials": "true",
        "Expose-Headers": "Retry-After, PostHog-Request-Id",
    }
    assert answer.headers["Vary"] == "Origin"


def test_requests_without_an_origin_get_no_cors_headers():
    assert allowed(sdk.post("/e/", {"api_key": sdk.key()} | EVENT)) == {}


@pytest.mark.parametrize(
    ("method", "path", "use"),
    [
        ("PUT", "/batch/", "GET, POST"),
        ("GET", V1, "POST"),
        ("GET", "/i/v1/ai/events", "POST"),
        ("DELETE", "/flags", "POST"),
        ("POST", "/array/phc_1/config", "GET"),
    ],
)
def test_another_method_is_a_405_that_names_the_allowed_method(method, path, use):
    answer = sdk.request(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, use)


@pytest.mark.parametrize("path", ["/array/phc_1/surveys.js", "/array/", "/array//config"])
def test_another_address_below_array_is_a_404(path):
    assert sdk.request("GET", path).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
@pytest.mark.parametrize("path", [*V0, V1, *FLAGS, *CONFIG, "/array/", "/batch/<script>"])
def test_s13_no_answer_is_read_as_another_type_than_it_has(method, path):
    answer = sdk.request(method, path, HTTP_ORIGIN=SHOP)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    types = {"application/json", "application/javascript", "text/plain"}
    if answer.content:
        assert answer.headers["Content-Type"].split(";")[0] in types or answer.status_code == 404


@pytest.mark.parametrize("path", ["/batches", "/e/e", "/i/v0", "/"])
def test_every_other_address_is_served_by_django(path):
    assert "X-Content-Type-Options" in sdk.request("GET", path, HTTP_HOST="localhost").headers


def test_a_query_of_a_thousand_fields_is_a_400():
    answer = sdk.post("/e/?" + "&".join(f"a{n}=1" for n in range(1000)), EVENT)
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "form: Max number of fields exceeded",
    )


SCRIPTS = ["/static/array.js", "/array/phc_1/array.js"]


@pytest.mark.parametrize("path", SCRIPTS)
def test_a17_the_script_of_posthog_js_is_the_file_that_is_set(settings, tmp_path, path):
    settings.PLUMBLINE_POSTHOG_JS = tmp_path / "array.js"
    settings.PLUMBLINE_POSTHOG_JS.write_text("let posthog;")
    plain = sdk.request("GET", path, HTTP_ORIGIN=SHOP)
    assert (plain.status_code, plain.content) == (200, b"let posthog;")
    assert plain.headers["Access-Control-Allow-Origin"] == SHOP
    compressed = sdk.request("GET", path, HTTP_ACCEPT_ENCODING="gzip, br")
    assert gzip.decompress(compressed.content) == b"let posthog;"


@pytest.mark.parametrize("path", SCRIPTS)
def test_a17_without_a_file_the_script_says_so_in_the_console(path):
    answer = sdk.request("GET", path)
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert b"PLUMBLINE_POSTHOG_JS" in answer.content


@pytest.fixture
def posthog_js(settings, tmp_path):
    """The folder of posthog-js's scripts."""
    settings.PLUMBLINE_POSTHOG_JS = tmp_path / "array.js"
    settings.PLUMBLINE_POSTHOG_JS.write_text("let posthog;")
    (tmp_path / "surveys.js").write_text("let surveys;")
    return tmp_path


@pytest.mark.parametrize("path", ["/static/surveys.js", "/static/1.449.2/surveys.js"])
def test_a17_scripts_that_posthog_js_loads_later_are_files_of_the_same_folder(posthog_js, path):
    assert sdk.request("GET", path, HTTP_ORIGIN=SHOP).content == b"let surveys;"


@pytest.mark.parametrize("name", ["toolbar.js", "..js", ".hidden.js", "%2e%2e/secret.js", "a.json"])
def test_a17_no_other_file_is_served(posthog_js, name):
    (posthog_js / ".hidden.js").write_text("secret")
    (posthog_js.parent / "secret.js").write_text("secret")
    answer = sdk.request("GET", f"/static/1.449.2/{name}", HTTP_ORIGIN=SHOP)
    assert (answer.status_code, b"secret" in answer.content) == (404, False)


def test_a17_without_a_file_other_scripts_are_missing_to_pages_of_any_origin():
    answer = sdk.request("GET", "/static/surveys.js", HTTP_ORIGIN=SHOP)
    assert (answer.status_code, allowed(answer)["Allow-Origin"]) == (404, SHOP)


@with_and_without_slash(["/s", "/i/v1/logs", "/i/v1/metrics"])
def test_recordings_logs_and_metrics_are_a_404_that_pages_can_read(path):
    answer = sdk.post(f"{path}?token=phc_1", [{"event": "$snapshot"}], HTTP_ORIGIN=SHOP)
    assert (answer.status_code, answer.json()["error"]) == (404, "not found")
    assert allowed(answer)["Allow-Origin"] == SHOP
    assert InboxRequest.objects.count() == 0
