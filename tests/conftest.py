"""Fixtures and settings for every test."""

import os
import shutil
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import stripe
from django.conf import settings
from django.test import TransactionTestCase, testcases

from analytics.capture import capture
from tests import (
    database,
    property_tests,  # noqa: F401  registers hypothesis' profile
)
from tests import mail_server as mail
from tests import web_hook as web_hooks
from tests.fake_stripe import fake_stripe, stripe_account  # noqa: F401  fixtures
from tests.posthog_server import listening

# Playwright's synchronous API runs an event loop in the thread that uses the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

BROWSERS = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"
FLAGS = """
    --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync
""".split()


def pytest_configure() -> None:
    # A slow hash protects passwords from theft; these exist for one test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Live servers use the same WSGI entry point as real ones, including the front door.
    replace(testcases, WSGIHandler=_wsgi_application)
    replace(testcases, _MediaFilesHandler=lambda application: application)  # no media files
    stripe.HTTPClient.INITIAL_DELAY = stripe.HTTPClient.MAX_DELAY = 0  # between its tries
    replace(TransactionTestCase, _fixture_teardown=database.restore_first_rows)


def replace(owner: Any, **attributes: Any) -> None:
    for name, value in attributes.items():
        setattr(owner, name, value)


def _wsgi_application():
    from config.wsgi import application  # noqa: PLC0415  (once Django is set up)

    return application


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, django_db_blocker):
    with django_db_blocker.unblock():
        database.use_template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        database.remember_first_rows()


@pytest.fixture(autouse=True)
def fresh_capture():
    """Capture caches keys for seconds and keeps its connection; each test starts without both."""
    capture.project_keys.forget()
    yield
    capture.requests.close()


@pytest.fixture
def posthog(settings):
    """A PostHog server to which captured events are forwarded."""
    with listening() as server:
        settings.POSTHOG_HOST, settings.POSTHOG_API_KEY = server.url, "phc_theirs"
        settings.PLUMBLINE_FORWARDING = True
        yield server


@pytest.fixture
def mail_server(settings):
    """A mail server that Plumbline uses, with ADMIN_EMAIL set."""
    with mail.listening() as server:
        mail.use(settings, server)
        yield server


@pytest.fixture
def no_valkey(settings):
    """A cache server that is not there.

    `CACHES` is replaced as a whole: what is changed inside it stays changed for later tests.
    """
    default = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9"}
    settings.CACHES = {**settings.CACHES, "default": default}


@pytest.fixture
def web_hook(settings):
    """A web server in a network that alert channels may reach."""
    settings.PLUMBLINE_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with web_hooks.listening() as server:
        yield server


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args, browser_type):
    installed = next(filter(None, map(shutil.which, BROWSERS)), browser_type.executable_path)
    if not Path(installed).exists():
        pytest.skip(
            "No browser: install one with `apt-get install chromium`"
            " or `python -m playwright install chromium`"
        )
    return {**browser_type_launch_args, "executable_path": installed, "args": FLAGS}
