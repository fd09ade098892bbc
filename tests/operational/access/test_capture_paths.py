"""S07: capture is for project keys only: what opens the API opens nothing there."""

from io import BytesIO
from wsgiref.util import setup_testing_defaults

import pytest
from django.contrib.auth.models import User

from analytics.capture import front_door
from config import wsgi
from tests.tokens import token

pytestmark = pytest.mark.django_db

FLAGS = {"/flags", "/decide"}  # the same for everyone: no flags
PATHS = [*front_door._V0, *front_door._V1, *FLAGS, "/array/unknown/config"]
METHODS = "GET HEAD OPTIONS POST PUT PATCH DELETE".split()


def status(path, method, **headers):
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": BytesIO(), **headers}
    setup_testing_defaults(environ)
    statuses = []
    chunks = front_door.application(environ, lambda line, _headers: statuses.append(line))
    assert chunks is not None
    list(chunks)
    return int(statuses[0].split()[0])


@pytest.fixture(params=["anonymous", "token", "session"])
def headers(request, client):
    admin = User.objects.create_superuser("ada")
    client.force_login(admin)
    return {
        "anonymous": {},
        "token": {"HTTP_AUTHORIZATION": f"Bearer {token(admin)}"},
        "session": {"HTTP_COOKIE": f"sessionid={client.cookies['sessionid'].value}"},
    }[request.param]


@pytest.mark.parametrize("path", sorted(PATHS))
def test_s07_without_a_project_key_nothing_is_captured(path, headers):
    for method in METHODS:
        answered = status(path, method, **headers)
        if method == "OPTIONS" or path in FLAGS or path.startswith("/array/"):
            assert answered < 500
        else:
            assert 400 <= answered < 500, method


def test_s04_slow_pages_hold_up_neither_capture_nor_probes():
    lanes = {path: wsgi.lane_of(path) for path in [*PATHS, "/livez", "/readyz", "/admin/"]}
    assert {lanes.pop(path) for path in PATHS} == {"capture"}
    assert lanes == {"/livez": "/livez", "/readyz": "/readyz", "/admin/": ""}
