"""A page of a browser, logged in; whatever the browser reports fails the test."""

import pytest
from django.contrib.auth.models import User

from tests.demo_company import load_demo
from tests.operational.overview.browser.addresses import PASSWORD


@pytest.fixture(autouse=True)
def staff(db, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_superuser("ada", "ada@example.com", PASSWORD)


@pytest.fixture
def browser_problems(page, live_server):
    """Collect what the browser reports: errors, CSP violations, requests to other hosts."""
    messages = []
    page.on("console", lambda m: m.type in {"error", "warning"} and messages.append(m.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on(
        "request",
        lambda r: (
            r.url.startswith((live_server.url, "data:")) or messages.append(f"requested {r.url}")
        ),
    )
    return messages


@pytest.fixture(autouse=True)
def no_browser_problems(browser_problems):
    yield
    assert browser_problems == []


@pytest.fixture
def logged_in(page, client, staff, live_server):
    client.force_login(staff)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return page


@pytest.fixture
def company():
    load_demo(persons=120, days=60)
