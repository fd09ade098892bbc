"""Opens and clicks of machines."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from growth.calculations.mail.machines import Interaction, is_machine, machine_flags
from growth.calculations.mail.mail_events import MailEventKind as Kind

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
PERSON = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.4 Safari/605.1.15"
)


def event(kind, seconds, *, link="", user_agent=PERSON):
    return Interaction(kind, NOON + timedelta(seconds=seconds), user_agent, link)


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Barracuda Sentinel (EE)",
        "Mimecast-URL-Protect",
        "python-requests/2.31",
        "Go-http-client/2.0",
        "Mozilla/5.0 (compatible; bingbot/2.0)",
        "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0",
        "Microsoft Office Existence Discovery",
    ],
)
def test_p58_proxies_and_scanners_are_machines(user_agent):
    assert is_machine(user_agent)


@pytest.mark.parametrize(
    "user_agent", ["", PERSON, "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X)", "Abbott"]
)
def test_p58_browsers_are_not_machines(user_agent):
    assert not is_machine(user_agent)


@pytest.mark.parametrize(("seconds", "flag"), [(-30, True), (0, True), (5, True), (6, False)])
@pytest.mark.parametrize("kind", [Kind.OPENED, Kind.CLICKED])
def test_p58_no_person_opens_or_clicks_within_seconds_of_delivery(kind, seconds, flag):
    assert machine_flags([event(Kind.DELIVERED, 0), event(kind, seconds)]) == [False, flag]


def test_p58_all_links_at_once_are_a_scanner_in_any_order():
    links = [event(Kind.CLICKED, 100 + number, link=f"/{number}") for number in range(3)]
    later = event(Kind.CLICKED, 200, link="/0")
    for clicks in permutations([*links, later]):
        assert machine_flags(clicks) == [click is not later for click in clicks]


@pytest.mark.parametrize("links", [["/a", "/a", "/a"], ["/a", "/b"]])
def test_a_person_may_click_a_link_often_or_two_quickly(links):
    clicks = [event(Kind.CLICKED, 100 + n, link=link) for n, link in enumerate(links)]
    assert not any(machine_flags(clicks))


def test_without_a_delivery_the_time_says_nothing():
    assert machine_flags([event(Kind.CLICKED, 0, link="/a")]) == [False]
