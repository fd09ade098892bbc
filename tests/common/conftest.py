"""What tests of outgoing requests need: host names, a server, an allowed network."""

from ipaddress import ip_network

import pytest

from tests.names import Names
from tests.raw_server import listening


@pytest.fixture
def names(monkeypatch):
    return Names(monkeypatch)


@pytest.fixture
def server():
    with listening() as server:
        yield server


@pytest.fixture
def own(settings):
    """Allow the loopback network, as an operator would."""
    settings.PLUMBLINE_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
