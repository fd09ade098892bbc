"""O02: settings with which no e-mail could be sent stop the start, and name the variable."""

import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from tests.processes import ROOT, environment

START = "import django; django.setup()"
POSTMARK = "anymail.backends.postmark.EmailBackend"


def start(**variables: str) -> str:
    """Start a process with these variables; return the last line that it writes about it."""
    every = {**environment(), **variables, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", START]
    done = subprocess.run(command, cwd=ROOT, env=every, capture_output=True, text=True, check=False)
    return done.stderr.strip().rpartition("\n")[2]


def test_o02_a_provider_without_its_token_stops_the_start():
    assert "ANYMAIL_POSTMARK_SERVER_TOKEN" in start(EMAIL_BACKEND=POSTMARK)
    assert start(EMAIL_BACKEND=POSTMARK, ANYMAIL_POSTMARK_SERVER_TOKEN="token") == ""


@pytest.mark.parametrize(
    "backend",
    [
        "anymail.backends.postmark.EmailBakend",
        "anymail.backend.postmark.EmailBackend",
        "Postmark",
        "django.core.mail.send_mail",
        "collections.Counter",
    ],
)
def test_o02_a_backend_that_is_none_stops_the_start(backend):
    assert "ImproperlyConfigured: EMAIL_BACKEND" in start(EMAIL_BACKEND=backend)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PLUMBLINE_EMAIL_FROM", "Plumbline"), ("EMAIL_PORT", "0"), ("EMAIL_PORT", "65536")],
)
def test_o02_a_sender_or_port_that_is_none_stops_the_start(variable, value):
    assert f"ImproperlyConfigured: {variable}" in start(**{variable: value})


def test_o02_both_kinds_of_encryption_together_stop_the_start():
    message = start(EMAIL_USE_TLS="1", EMAIL_USE_SSL="1")
    assert "EMAIL_USE_TLS and EMAIL_USE_SSL exclude each other" in message


def test_o02_an_account_without_its_password_stops_the_start(monkeypatch):
    monkeypatch.setenv("EMAIL_HOST_USER", "ada")
    with pytest.raises(ImproperlyConfigured, match="EMAIL_HOST_PASSWORD is not set"):
        env.email_account()


@pytest.mark.parametrize("value", ["A <a@x.example>, B <b@x.example>", "a@x.example, b@x.example"])
def test_o02_two_senders_are_refused(monkeypatch, value):
    monkeypatch.setenv("PLUMBLINE_EMAIL_FROM", value)
    with pytest.raises(ImproperlyConfigured, match="PLUMBLINE_EMAIL_FROM"):
        env.sender("PLUMBLINE_EMAIL_FROM")


def test_o16_addresses_that_differ_in_case_are_the_same(monkeypatch):
    monkeypatch.setenv("ADMIN_EMAIL", "ada@x.example, Bob@x.example, Ada@X.example")
    assert env.addresses("ADMIN_EMAIL") == ["ada@x.example", "Bob@x.example"]
