"""S09, S13: what a deployment sets is checked at the start, by name."""

import runpy

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from tests.processes import ROOT

GOOD = "e3Jm8Qw1zX-rT5yU7iO9pA2sD4fG6hK0lZ3xC5vB8nM1qW4eR"


@pytest.mark.parametrize("key", ["short", "x" * 49, "x" * 80, "abcabc" * 20, GOOD[:49]])
def test_s13_a_weak_secret_key_stops_the_start_and_says_how_to_make_one(monkeypatch, key):
    monkeypatch.setenv("SECRET_KEY", key)
    with pytest.raises(ImproperlyConfigured, match=r"SECRET_KEY .* 50 .*token_urlsafe") as refusal:
        env.secret_key("SECRET_KEY")
    assert key not in str(refusal.value)


def test_s13_a_strong_secret_key_is_taken(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", GOOD + "x")
    assert env.secret_key("SECRET_KEY") == GOOD + "x"


@pytest.fixture
def start(monkeypatch):
    """Return the settings that are read with these variables."""

    def read(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "config" / "settings.py"))

    return read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("PLUMBLINE_LOG_LEVEL", "LOUD"),
        ("EMAIL_PORT", "0"),
        ("EMAIL_PORT", "abc"),
        ("EMAIL_PORT", "65536"),
        ("EMAIL_PORT", "٢٥"),
        ("PLUMBLINE_EMAIL_FROM", "foo"),
        ("PLUMBLINE_EMAIL_FROM", "Plumbline <foo>"),
        ("PLUMBLINE_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("PLUMBLINE_TRUSTED_PROXIES", "proxy"),
        ("PLUMBLINE_HSTS", "yes"),
        ("PLUMBLINE_REQUIRE_MFA", "maybe"),
    ],
)
def test_s13_an_invalid_value_stops_the_start_by_name(start, name, value):
    with pytest.raises(ImproperlyConfigured, match=name):
        start(**{name: value})


def test_s13_starttls_and_tls_exclude_each_other(start):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_USE_TLS and EMAIL_USE_SSL"):
        start(EMAIL_USE_TLS="1", EMAIL_USE_SSL="1")


@pytest.mark.parametrize(
    "value", ["hello@example.com", "Plumbline <hello@example.com>", '"A, B" <a@b.c>', ""]
)
def test_s13_a_sender_with_and_without_a_name_is_taken(monkeypatch, value):
    monkeypatch.setenv("PLUMBLINE_EMAIL_FROM", value)
    assert env.sender("PLUMBLINE_EMAIL_FROM") == value


def test_s13_a_log_level_is_taken_in_either_case(monkeypatch):
    monkeypatch.setenv("PLUMBLINE_LOG_LEVEL", "debug")
    assert env.choice("PLUMBLINE_LOG_LEVEL", "INFO", choices=("DEBUG", "INFO")) == "DEBUG"


def test_s09_trusted_proxies_are_addresses_and_networks(monkeypatch):
    monkeypatch.setenv("PLUMBLINE_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8, 2001:db8::/32")
    networks = list(map(str, env.networks("PLUMBLINE_TRUSTED_PROXIES")))
    assert networks == ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("", (True, False, False)),
        ("off", (False, False, False)),
        ("own", (True, False, False)),
        ("subdomains", (True, True, False)),
        ("preload", (True, True, True)),
    ],
)
def test_s09_hsts_reaches_further_only_by_choice(start, choice, expected):
    settings = start(PLUMBLINE_HSTS=choice, PLUMBLINE_URL="https://plumb.example")
    seconds = settings["SECURE_HSTS_SECONDS"]
    subdomains, preload = (
        settings["SECURE_HSTS_INCLUDE_SUBDOMAINS"],
        settings["SECURE_HSTS_PRELOAD"],
    )
    assert (seconds > 0, subdomains, preload) == expected


def test_s09_there_is_no_hsts_without_https(start):
    assert start(PLUMBLINE_HSTS="own")["SECURE_HSTS_SECONDS"] == 0
