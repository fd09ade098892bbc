import pytest

from tests.web import clients


@pytest.fixture(scope="module")
def port():
    """The port of a server of the small application, with short deadlines."""
    with clients.server(head_seconds=1, body_seconds=3, grace_seconds=1) as port:
        yield port
