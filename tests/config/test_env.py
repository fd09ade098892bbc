"""What a deployment says of PostHog, of Stripe, and in JSON."""

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


@pytest.fixture
def stripe(monkeypatch):
    """Say what is known of Stripe in the environment, and return what it is read as."""

    def say(key="", base="", secrets=""):
        monkeypatch.setenv("STRIPE_SECRET_KEY", key)
        monkeypatch.setenv("STRIPE_API_BASE", base)
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", secrets)
        return env.stripe()

    return say


def test_without_a_key_there_is_no_stripe(stripe):
    assert stripe() == ("", "https://api.stripe.com", [])


def test_a_test_key_may_go_to_another_address(stripe):
    key = "sk_test_" + "a" * 24
    found = stripe(key, "http://127.0.0.1:12111", "whsec_new, whsec_old")
    assert found == (key, "http://127.0.0.1:12111", ["whsec_new", "whsec_old"])


@pytest.mark.parametrize(
    ("key", "base", "secrets", "error"),
    [
        ("pk_test_" + "a" * 24, "", "", "STRIPE_SECRET_KEY is no key"),
        ("sk_test_short", "", "", "STRIPE_SECRET_KEY is no key"),
        ("sk_live_" + "a" * 24, "http://127.0.0.1:1", "", "a live key goes to Stripe alone"),
        ("", "", "secret", "STRIPE_WEBHOOK_SECRET is no secret"),
        ("", "stripe.com", "", "STRIPE_API_BASE: .* is no address"),
    ],
)
def test_what_cannot_be_stripe_stops_the_start(stripe, key, base, secrets, error):
    with pytest.raises(ImproperlyConfigured, match=error):
        stripe(key, base, secrets)
