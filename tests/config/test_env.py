"""Environment variables for PostHog, for Stripe, and in JSON."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

OURSELVES = "https://plumb.example.com"


@pytest.fixture
def posthog(monkeypatch):
    """Set host and key in the environment, and return what is read."""

    def read(host="", key=""):
        monkeypatch.setenv("POSTHOG_HOST", host)
        monkeypatch.setenv("POSTHOG_API_KEY", key)
        return env.posthog(ourselves=OURSELVES)

    return read


def test_forwarding_is_off_if_neither_is_set(posthog):
    assert posthog() == ("", "")


def test_host_and_key_are_read(posthog):
    host = "https://eu.i.posthog.com"
    assert posthog(f"{host}/", "phc_abc") == (host, "phc_abc")


@pytest.mark.parametrize(
    ("host", "key", "error"),
    [
        ("https://eu.i.posthog.com", "", "POSTHOG_API_KEY is not set"),
        ("", "phc_abc", "POSTHOG_HOST is not set"),
        ("eu.i.posthog.com", "phc_abc", "POSTHOG_HOST: .* must be an address"),
        ("https://eu.i.posthog.com", "phx_abc", "personal key"),
        (f"{OURSELVES}/", "phc_abc", "this Plumbline"),
    ],
)
def test_an_invalid_posthog_stops_the_start(posthog, host, key, error):
    with pytest.raises(ImproperlyConfigured, match=error):
        posthog(host, key)


@pytest.mark.parametrize(("text", "value"), [("", []), ("[]", []), ('[{"a": 1}]', [{"a": 1}])])
def test_a_json_array_is_read(monkeypatch, text, value):
    monkeypatch.setenv("PLUMBLINE_TEST", text)
    assert env.json_list("PLUMBLINE_TEST") == value


@pytest.mark.parametrize("text", ["[", "{}", "null", "x"])
def test_invalid_json_and_other_json_stop_the_start(monkeypatch, text):
    monkeypatch.setenv("PLUMBLINE_TEST", text)
    with pytest.raises(ImproperlyConfigured, match="PLUMBLINE_TEST: "):
        env.json_list("PLUMBLINE_TEST")


def test_networks_are_read(monkeypatch):
    monkeypatch.setenv("PLUMBLINE_TEST", "10.1.0.0/16, fd12:3456::/48,192.168.1.7")
    networks = [str(network) for network in env.networks("PLUMBLINE_TEST")]
    assert networks == ["10.1.0.0/16", "fd12:3456::/48", "192.168.1.7/32"]


@pytest.mark.parametrize("text", ["10.1.0.1/16", "example.com", "10.0.0.0/33", "all", "10.1"])
def test_an_invalid_network_stops_the_start(monkeypatch, text):
    monkeypatch.setenv("PLUMBLINE_TEST", text)
    with pytest.raises(ImproperlyConfigured, match=r"PLUMBLINE_TEST: .* must be a network"):
        env.networks("PLUMBLINE_TEST")


@pytest.fixture
def stripe(monkeypatch):
    """Set Stripe's variables in the environment, and return what is read."""

    def read(key="", base="", secrets=""):
        monkeypatch.setenv("STRIPE_SECRET_KEY", key)
        monkeypatch.setenv("STRIPE_API_BASE", base)
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", secrets)
        return env.stripe()

    return read


def test_without_a_key_stripe_is_off(stripe):
    assert stripe() == ("", "https://api.stripe.com", [])


def test_a_test_key_may_go_to_another_address(stripe):
    key = "sk_test_" + "a" * 24
    settings = stripe(key, "http://127.0.0.1:12111", "whsec_new, whsec_old")
    assert settings == (key, "http://127.0.0.1:12111", ["whsec_new", "whsec_old"])


@pytest.mark.parametrize(
    ("key", "base", "secrets", "error"),
    [
        ("pk_test_" + "a" * 24, "", "", "STRIPE_SECRET_KEY must be a key"),
        ("sk_test_short", "", "", "STRIPE_SECRET_KEY must be a key"),
        ("sk_live_" + "a" * 24, "http://127.0.0.1:1", "", "a live key is sent to Stripe only"),
        ("", "", "secret", "STRIPE_WEBHOOK_SECRET must be secrets"),
        ("", "stripe.com", "", "STRIPE_API_BASE: .* must be an address"),
    ],
)
def test_an_invalid_stripe_stops_the_start(stripe, key, base, secrets, error):
    with pytest.raises(ImproperlyConfigured, match=error):
        stripe(key, base, secrets)
