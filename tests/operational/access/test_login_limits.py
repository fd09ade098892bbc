"""S09: limits on guessing passwords, by client address and by user, that lock no account."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from operational.access import known_devices, limits
from operational.models import LoginLimit

LOGIN = "/admin/login/"
PASSWORD = "right horse battery staple"
PROXY = "10.0.0.1"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def founder(time_machine):
    time_machine.move_to("2026-11-30 12:00:00+00:00", tick=False)
    return User.objects.create_user("founder", password=PASSWORD, is_staff=True)


def attempt(client, username="founder", password="wrong", address="203.0.113.1", **headers):
    data = {"username": username, "password": password}
    return client.post(LOGIN, data, REMOTE_ADDR=address, headers=headers)


def fail(client, times, **options):
    return [attempt(client, **options).status_code for _ in range(times)]


def logs_in(client, **options):
    return attempt(client, password=PASSWORD, **options).status_code == 302


def test_s09_an_address_waits_after_ten_wrong_passwords(client):
    assert fail(client, 11) == [200] * 10 + [429]


def test_s09_the_page_and_a_header_say_when_to_try_again(client):
    fail(client, 10)
    response = attempt(client)
    assert response.headers["Retry-After"] == "2"
    assert "Try again at" in response.content.decode()
    assert "in 2 seconds" in response.content.decode()


def test_s09_the_right_password_is_not_checked_before_its_time(client):
    fail(client, 10)
    assert attempt(client, password=PASSWORD).status_code == 429


def test_s09_after_the_delay_the_right_password_opens(client, time_machine):
    fail(client, 10)
    time_machine.shift(2)
    assert logs_in(client)


def test_s09_the_delay_of_an_address_doubles_to_a_quarter_of_an_hour(client, time_machine):
    fail(client, 10)
    waits = []
    for _ in range(12):
        waits.append(int(attempt(client).headers["Retry-After"]))
        time_machine.shift(waits[-1])
        fail(client, 1)
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == 900


def test_s09_many_names_from_one_address_are_limited(client):
    answers = [attempt(client, username=f"user{n}").status_code for n in range(12)]
    assert answers == [200] * 10 + [429] * 2


def test_s09_a_success_in_between_does_not_free_an_address(client):
    User.objects.create_user("attacker", password=PASSWORD, is_staff=True)
    fail(client, 9)
    assert logs_in(Client(), username="attacker")
    assert fail(client, 2) == [200, 429]


def test_s09_the_founder_logs_in_from_elsewhere_while_one_address_guesses(client):
    fail(client, 50)
    assert logs_in(Client(), address="198.51.100.7")


def test_s09_many_addresses_delay_a_user_by_a_minute_at_most(client, time_machine):
    for number in range(40):
        attempt(client, address=f"198.51.100.{number}")
        time_machine.shift(60)
    time_machine.shift(-60)
    assert int(attempt(client, address="192.0.2.9").headers["Retry-After"]) == 60
    time_machine.shift(60)
    assert logs_in(client, address="192.0.2.9")


def test_s09_a_known_browser_does_not_wait_for_attempts_of_strangers(client):
    browser = Client()
    assert logs_in(browser)
    for number in range(21):
        attempt(client, address=f"198.51.100.{number}")
    assert attempt(Client(), address="192.0.2.9").status_code == 429
    browser.post("/admin/logout/")
    assert logs_in(browser, address="192.0.2.9")


def test_s09_a_known_browser_has_a_limit_of_its_own(client):
    assert logs_in(client)
    client.post("/admin/logout/")
    assert fail(client, 11) == [200] * 10 + [429]


def test_s09_a_browser_of_another_user_is_a_stranger(client):
    User.objects.create_user("attacker", password=PASSWORD, is_staff=True)
    assert logs_in(client, username="attacker")
    client.post("/admin/logout/")
    fail(client, 1)
    assert LoginLimit.objects.filter(kind="user", subject="founder", failures=1).exists()


@pytest.mark.parametrize("cookie", ["", "x", "WyJmb3VuZGVyIiwiYSJd:1:2", "\x00", "a:b:c:d"])
def test_s09_a_made_up_cookie_is_ignored(client, cookie):
    client.cookies[known_devices.COOKIE] = cookie
    assert attempt(client).status_code == 200
    assert not LoginLimit.objects.filter(kind="device").exists()


def test_s09_the_cookie_is_not_readable_by_scripts(client):
    logs_in(client)
    cookie = client.cookies[known_devices.COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize("name", ["FOUNDER", "ｆｏｕｎｄｅｒ", "Founder", "found\ufb01er"])
def test_s09_variants_of_a_name_give_no_further_attempts(name):
    expected = "foundfier" if "\ufb01" in name else "founder"
    assert limits.normalized(name) == expected


@pytest.mark.parametrize("name", ["\0founder", "x" * 10_000, "\ud800"])
def test_s09_odd_names_are_counted(name):
    limits.count([(limits.Kind.USER, limits.normalized(name))], timezone.now())


def test_s09_names_that_do_not_exist_are_limited_alike(client):
    for number in range(20):
        attempt(client, username="grace", address=f"198.51.100.{number}")
    assert attempt(client, username="grace", address="192.0.2.9").status_code == 429


def test_s09_a_made_up_x_forwarded_for_gives_no_further_attempts(client):
    answers = [
        attempt(client, **{"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in range(11)
    ]
    assert answers[-1] == 429


def test_s09_behind_a_trusted_proxy_clients_are_counted_apart(client, settings):
    settings.PLUMBLINE_TRUSTED_PROXIES = [ip_network(PROXY)]
    for _ in range(11):
        last = attempt(client, address=PROXY, **{"X-Forwarded-For": "203.0.113.5"})
    assert last.status_code == 429
    assert logs_in(Client(), address=PROXY, **{"X-Forwarded-For": "203.0.113.6"})


def test_s09_an_ipv6_client_counts_by_its_network(client):
    answers = [attempt(client, address=f"2001:db8::{n:x}").status_code for n in range(11)]
    assert answers[-1] == 429


@pytest.mark.django_db(transaction=True)
def test_s09_attempts_at_the_same_time_count_too():
    def parallel(number):
        try:
            return attempt(Client()).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(15) as pool:
        answers = list(pool.map(parallel, range(30)))
    assert answers.count(200) == 10


def test_s09_counts_are_forgotten_after_a_day(client, time_machine):
    fail(client, 10)
    time_machine.shift(timedelta(days=1, minutes=1))
    assert fail(client, 10) == [200] * 10


def test_s09_a_clock_that_was_wrong_causes_no_long_delay(client, time_machine):
    time_machine.shift(timedelta(days=365))
    fail(client, 10)
    time_machine.shift(timedelta(days=-365))
    assert attempt(client).status_code == 200


def test_s09_old_counts_are_deleted(client, time_machine):
    fail(client, 1)
    time_machine.shift(timedelta(days=2))
    limits.delete_old(timezone.now())
    assert not LoginLimit.objects.exists()


def test_s09_the_operator_ends_every_delay(client, capsys):
    fail(client, 10)
    call_command("reset_login_limits")
    assert "Forgot 2 login limits." in capsys.readouterr().out
    assert logs_in(client)


def test_s09_there_is_no_other_way_to_log_in_with_a_password():
    classes = django_settings.REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"]
    assert not [name for name in classes if "Basic" in name]
    assert len(django_settings.AUTHENTICATION_BACKENDS) == 1
    for name in ("admin_password_reset", "admin:admin_password_reset", "knox_login"):
        with pytest.raises(NoReverseMatch):
            reverse(name)
