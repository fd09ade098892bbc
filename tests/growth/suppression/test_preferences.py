"""The public preferences page, and unsubscribing in one click."""

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client

from growth.calculations.mail.mail_events import SuppressionReason
from growth.models import Suppression
from growth.suppression import preferences, suppressions
from growth.suppression.preferences import preferences_url, unsubscribe_headers
from tests.growth.suppression.mails import ADA, LATER, NOON, active, topic

pytestmark = pytest.mark.django_db
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def mail_client():
    """A client that enforces CSRF and follows nothing, as mail clients and scanners have it."""
    return Client(enforce_csrf_checks=True)


def path_of(url, settings):
    assert url.startswith(settings.PLUMBLINE_URL)
    return url.removeprefix(settings.PLUMBLINE_URL)


@pytest.fixture
def tips():
    return topic("News")


@pytest.fixture
def path(settings):
    return path_of(preferences_url(ADA), settings)


@pytest.mark.parametrize("method", ["get", "head"])
def test_p27_what_a_scanner_asks_for_changes_nothing(mail_client, path, method):
    for query in ("", "?choice=all", "?List-Unsubscribe=One-Click"):
        assert getattr(mail_client, method)(path + query).status_code == 200
    assert active() == []


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_p27_other_methods_change_nothing(mail_client, path, method):
    assert getattr(mail_client, method)(path).status_code == 405
    assert active() == []


@pytest.mark.parametrize("body", [ONE_CLICK, {}])
def test_p59_one_click_needs_no_csrf_token_login_or_redirect(mail_client, path, body):
    assert mail_client.post(path, body).status_code == 200
    assert active() == [(ADA, None, "unsubscribed")]


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "x"],
)
def test_p59_one_click_works_with_whatever_type_mail_clients_send(mail_client, path, content_type):
    mail_client.post(path, b"List-Unsubscribe=One-Click", content_type=content_type)
    assert active() == [(ADA, None, "unsubscribed")]


def test_p59_an_address_without_the_last_slash_is_not_redirected(mail_client, path):
    assert mail_client.post(path.rstrip("/"), ONE_CLICK).status_code == 200
    assert active() == [(ADA, None, "unsubscribed")]


def test_unsubscribing_twice_is_the_same_as_once(mail_client, path):
    assert [mail_client.post(path, ONE_CLICK).status_code for _ in range(2)] == [200, 200]
    assert active() == [(ADA, None, "unsubscribed")]


def test_one_click_unsubscribes_from_the_topic_of_the_mail(mail_client, tips, settings):
    headers = unsubscribe_headers(ADA, tips)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (url,) = re.findall(r"<(.*)>", headers["List-Unsubscribe"])
    mail_client.post(path_of(url, settings), ONE_CLICK)
    assert active() == [(ADA, tips.pk, "unsubscribed")]


def test_the_form_chooses_topics(mail_client, path, tips):
    offers = topic("Offers")
    mail_client.post(path, {"choice": "topics", "topic": [tips.pk]})
    assert active() == [(ADA, offers.pk, "unsubscribed")]
    mail_client.post(path, {"choice": "topics", "topic": [offers.pk, 10**6, "x"]})
    assert active() == [(ADA, tips.pk, "unsubscribed")]


def test_subscribing_again_keeps_the_choices_by_topic(mail_client, path, tips):
    mail_client.post(path, {"choice": "topics"})
    mail_client.post(path, {"choice": "all"})
    assert suppressions.is_suppressed(ADA)
    mail_client.post(path, {"choice": "again"})
    assert active() == [(ADA, tips.pk, "unsubscribed")]


@pytest.mark.parametrize("choice", ["again", "topics"])
@pytest.mark.parametrize("reason", [r for r in SuppressionReason if r != "unsubscribed"])
def test_p47_the_page_lifts_only_what_the_person_chose(mail_client, path, reason, choice):
    suppressions.add([ADA], reason, source="test", at=NOON)
    mail_client.post(path, {"choice": choice})
    assert suppressions.is_suppressed(ADA)


def test_the_page_shows_no_more_than_a_masked_address(mail_client, path):
    response = mail_client.get(path)
    text = response.content.decode()
    assert "a•••@e•••" in text
    assert ADA not in text
    assert "example" not in re.sub(r"<[^>]+>", "", text)
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("changed", ["x", "x:y:z", ":"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_changed_link_says_so_and_changes_nothing(mail_client, path, changed, method):
    response = getattr(mail_client, method)(f"/mail/preferences/{changed}/")
    assert response.status_code == 404
    assert b"This link is not valid" in response.content
    other = path.replace(path[20:24], "AAAA")
    assert getattr(mail_client, method)(other).status_code == 404
    assert active() == []


def test_a_link_made_for_something_else_is_not_valid(mail_client):

    assert mail_client.post(f"/mail/preferences/{signing.dumps([ADA, 0])}/").status_code == 404


def test_a_link_of_years_ago_and_of_an_earlier_secret_key_still_works(
    mail_client, settings, time_machine
):
    time_machine.move_to(NOON)
    path = path_of(preferences_url(ADA), settings)
    time_machine.move_to(LATER.replace(year=2040))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + settings.SECRET_KEY
    assert mail_client.post(path, ONE_CLICK).status_code == 200
    assert suppressions.is_suppressed(ADA)


def test_a_link_whose_topic_is_gone_unsubscribes_from_all_of_marketing(mail_client, tips, settings):
    path = path_of(preferences_url(ADA, tips), settings)
    tips.delete()
    mail_client.post(path, ONE_CLICK)
    assert active() == [(ADA, None, "unsubscribed")]


def test_headers_and_links_are_about_the_address_in_any_case():
    assert (
        preferences.read_token(preferences_url("ADA@example.com").rpartition("/")[2]).address == ADA
    )


def test_the_page_has_the_colors_that_make_its_buttons_visible(mail_client, path):
    for address in (path, "/mail/preferences/x/", "/billing/checkout/done/"):
        assert b"unfold-theme-colors" in mail_client.get(address).content


def test_s12_a_topic_of_thousands_of_digits_gives_no_error(mail_client, path, tips):
    answer = mail_client.post(path, {"choice": "topics", "topic": ["9" * 5_000]})
    assert answer.status_code == 200
    assert active() == [(ADA, tips.pk, "unsubscribed")]


def test_h18_a_link_that_is_posted_without_end_adds_a_bounded_number_of_rows(tips):
    link = preferences.PreferencesLink(ADA, tips)
    posts = preferences.KEPT + 3
    for number in range(posts):
        now = NOON + timedelta(minutes=number)
        preferences.choose(link, [], now=now)
        preferences.choose(link, [tips.pk], now=now)
        preferences.unsubscribe(link, topic=None, source=preferences.PAGE, now=now)
        preferences.subscribe_again(link, now=now)
    assert active() == []
    assert Suppression.objects.count() == preferences.KEPT
    assert Suppression.objects.latest("lifted_at").lifted_at == now


def test_h18_what_staff_lifted_is_not_among_the_rows_that_make_room(tips):
    link = preferences.PreferencesLink(ADA, None)
    suppressions.add([ADA], SuppressionReason.UNSUBSCRIBED, source="test", at=NOON)
    rows = suppressions.active_rows_of([ADA])
    suppressions.lift(rows, by="eve", reason="asked us to", now=NOON)
    for _ in range(preferences.KEPT + 1):
        preferences.unsubscribe(link, topic=None, source=preferences.PAGE, now=LATER)
        preferences.subscribe_again(link, now=LATER)
    assert Suppression.objects.filter(lifted_by="eve").count() == 1
    assert Suppression.objects.count() == preferences.KEPT + 1


@pytest.mark.parametrize("choice", ["topics", "all", "again", ""])
def test_h18_the_same_choice_again_adds_no_row(mail_client, path, tips, choice):
    mail_client.post(path, {"choice": choice})
    rows = Suppression.objects.count()
    for _ in range(3):
        assert mail_client.post(path, {"choice": choice}).status_code == 200
    assert Suppression.objects.count() == rows
