"""What every test shares."""

import pytest
from django.conf import settings
from django.test import testcases

from analytics import capture
from tests.posthog_server import listening


def pytest_configure() -> None:
    # A slow hash protects passwords that somebody may steal; these are made for one test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Live servers answer at the entry point that real ones have, the front door included.
    testcases.WSGIHandler = _wsgi_application
    testcases._MediaFilesHandler = lambda application: application  # there are no media files


def _wsgi_application():
    from config.wsgi import application  # noqa: PLC0415  (once Django is set up)

    return application


@pytest.fixture(autouse=True)
def forgotten_project_keys():
    """Keys are remembered for seconds; another test has others."""
    capture.project_keys.forget()


@pytest.fixture
def posthog(settings):
    """A PostHog that listens, and to which captured events are forwarded."""
    with listening() as server:
        settings.POSTHOG_HOST, settings.POSTHOG_API_KEY = server.url, "phc_theirs"
        settings.PLUMBLINE_FORWARDING = True
        yield server
