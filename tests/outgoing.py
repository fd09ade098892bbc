"""A request through the guard that must fail."""

import pytest
import requests

from common.outgoing import GuardedSession, NoResponse


def fails(url, **options):
    """Return the problem of a request that must fail."""
    with GuardedSession() as session, pytest.raises((NoResponse, requests.exceptions.InvalidURL)):
        session.post(url, json={}, **options)
    assert session.problem
    return session.problem
