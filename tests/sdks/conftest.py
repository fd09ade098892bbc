import logging

import pytest

from tests import sdk
from tests.sdks import servers
from tests.sdks.javascript import SCRIPT


@pytest.fixture(scope="session")
def _web(django_db_setup, django_db_blocker):
    with servers.web(PLUMBLINE_POSTHOG_JS=str(SCRIPT) if SCRIPT.exists() else "") as address:
        yield address


@pytest.fixture
def server(_web, transactional_db):
    """The address of the web server, which has two workers."""
    return _web


@pytest.fixture
def proxy(server):
    """A proxy in front of the web server that fails on request."""
    proxy = servers.FaultyProxy(server)
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture
def key(transactional_db):
    return sdk.key()


@pytest.fixture(autouse=True)
def _quiet():
    logging.getLogger("posthog").setLevel(logging.CRITICAL)
