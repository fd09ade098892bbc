"""Pages of a few sentences that anyone may get."""

import pytest


def test_a_missing_page_leads_back_and_reveals_nothing(client):
    answer = client.get("/gr4ce@example.com")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "Page not found" in page
    assert 'href="/">Dashboard' in page
    assert "gr4ce" not in page


@pytest.mark.django_db
def test_it_reveals_nothing_to_those_who_are_logged_in_either(admin_client):
    answer = admin_client.get("/admin/analytics/gr4ce/")
    assert answer.status_code == 404
    assert "gr4ce" not in answer.content.decode()


def test_a_request_that_cannot_be_read_gets_a_page_too(client):
    answer = client.get("/nowhere?gr4ce=%00")
    assert answer.status_code == 400
    assert "The request could not be read" in answer.content.decode()
    assert "gr4ce" not in answer.content.decode()


def test_a_wrong_host_gets_that_page_without_its_name(client):
    answer = client.get("/", headers={"Host": "gr4ce.example.com"})
    assert answer.status_code == 400
    assert "gr4ce" not in answer.content.decode()


def test_browsers_that_ask_for_an_icon_get_it(client):
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer.url) == (302, "/static/plumbline/icon.svg")
