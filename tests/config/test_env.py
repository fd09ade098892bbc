"""What a deployment may say of the PostHog to forward to."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

OURSELVES = "https://plumb.example.com"


@pytest.fixture
def said(monkeypatch):
    """Say host and key in the environment, and return what they are read as."""

    def say(host="", key=""):
        monkeypatch.setenv("POSTHOG_HOST", host)
        monkeypatch.setenv("POSTHOG_API_KEY", key)
        return env.posthog(ourselves=OURSELVES)

    return say


def test_forwarding_is_off_where_neither_is_set(said):
    assert said() == ("", "")


def test_host_and_key_are_read(said):
    host = "https://eu.i.posthog.com"
    assert said(f"{host}/", "phc_abc") == (host, "phc_abc")


@pytest.mark.parametrize(
    ("host", "key", "error"),
    [
        ("https://eu.i.posthog.com", "", "POSTHOG_API_KEY is not set"),
        ("", "phc_abc", "POSTHOG_HOST is not set"),
        ("eu.i.posthog.com", "phc_abc", "POSTHOG_HOST: .* is no address"),
        ("https://eu.i.posthog.com", "phx_abc", "personal key"),
        (f"{OURSELVES}/", "phc_abc", "Plumbline itself"),
    ],
)
def test_what_cannot_work_stops_the_start(said, host, key, error):
    with pytest.raises(ImproperlyConfigured, match=error):
        said(host, key)


@pytest.mark.parametrize(("text", "value"), [("", []), ("[]", []), ('[{"a": 1}]', [{"a": 1}])])
def test_a_json_array_is_read(monkeypatch, text, value):
    monkeypatch.setenv("PLUMBLINE_TEST", text)
    assert env.json_list("PLUMBLINE_TEST") == value


@pytest.mark.parametrize("text", ["[", "{}", "null", "x"])
def test_what_is_no_json_array_stops_the_start(monkeypatch, text):
    monkeypatch.setenv("PLUMBLINE_TEST", text)
    with pytest.raises(ImproperlyConfigured, match="PLUMBLINE_TEST: "):
        env.json_list("PLUMBLINE_TEST")
