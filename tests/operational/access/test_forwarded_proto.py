"""S09: an https deployment whose proxy does not say that clients come by https."""

import pytest
from django.core.cache import cache
from django.utils import timezone

from operational.access import forwarded_proto

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def https(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    cache.delete("missing-forwarded-proto")


def health():
    return list(forwarded_proto.proxy(timezone.now()))


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/api/operational/kpi-status", "/none"])
def test_s09_a_missing_header_is_a_page_that_names_it(client, path):
    response = client.get(path)
    assert response.status_code == 503
    assert "X-Forwarded-Proto: https" in response.content.decode()


def test_s09_it_is_a_health_problem(client):
    client.get("/admin/login/")
    (component,) = health()
    assert (component.name, component.health) == ("proxy", "warning")
    assert "X-Forwarded-Proto" in component.remedy


def test_s09_it_is_healthy_without_such_requests(client):
    client.get("/admin/login/", headers={"X-Forwarded-Proto": "https"})
    assert [component.health for component in health()] == ["ok"]


def test_s09_a_client_that_came_by_http_is_redirected(client):
    response = client.get("/admin/login/", headers={"X-Forwarded-Proto": "http"})
    assert response.status_code == 301
    assert response.headers["Location"].startswith("https://")


def test_s09_a_client_that_came_by_https_is_served(client):
    assert client.get("/admin/login/", headers={"X-Forwarded-Proto": "https"}).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_s09_probes_need_no_header(client, path):
    assert client.get(path).status_code == 200
    assert [component.health for component in health()] == ["ok"]


def test_s09_without_https_there_is_nothing_to_report(client, settings):
    settings.SECURE_SSL_REDIRECT = False
    assert client.get("/admin/login/").status_code == 200
    assert health() == []


def test_s09_it_works_while_valkey_does_not(client, no_valkey):
    assert client.get("/admin/login/").status_code == 503
    assert health() == []
