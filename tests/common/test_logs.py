"""S11: no personal data, token or link in a log line."""

import logging
import smtplib
from uuid import UUID

import psycopg
import pytest
import requests
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from common import logs
from config.celery import app
from tests.common.log_lines import log_lines

# They are not in the code of the traces below.
ADDRESS, NAME = "gr4ce@example.com", "gr4ce H0pper"
HOOK = "http://127.0.0.1:1/hooks/t0k3n?secret=hunter2"
SECRETS = ("gr4ce", "H0pper", "hunter2", "t0k3n")


@pytest.fixture
def lines():
    with log_lines() as written:
        yield written


def logged(lines):
    text = lines()
    assert text, "nothing was logged"
    assert [secret for secret in SECRETS if secret in text] == []
    return text


PATHS = {
    "/api/analytics/persons/gr4ce@example.com": "401 Unauthorized: GET analytics:person",
    "/api/analytics/persons/gr4ce": "401 Unauthorized: GET analytics:person",
    "/reports/unsubscribe/t0k3n/": "404 Not Found: GET operational:unsubscribe",
    "/mail/preferences/t0k3n/": "404 Not Found: GET growth:preferences",
    "/billing/checkout/t0k3n/": "404 Not Found: GET billing:checkout",
    "/gr4ce@example.com/?data=t0k3n&token=t0k3n&search=gr4ce": "404 Not Found: GET (no view)",
    "/api/gr4ce?email=gr4ce@example.com": "404 Not Found: GET (no view)",
    "/api/billing/usage?distinct_id=gr4ce": "401 Unauthorized: GET billing:usage",
}


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "line"), PATHS.items(), ids=PATHS)
def test_s11_a_refused_request_is_its_method_view_and_status(client, lines, path, line):
    client.get(path)
    assert line in logged(lines)


@pytest.mark.django_db
def test_s11_an_admin_page_is_named_without_its_object(client, lines):
    client.force_login(User.objects.create(username="staff", is_staff=True))
    client.post("/admin/billing/stripecustomer/gr4ce@example.com/change/")
    assert "403 Forbidden: POST admin:billing_stripecustomer_change" in logged(lines)


@pytest.mark.django_db
def test_s11_a_wrong_host_is_not_repeated(client, lines):
    client.get("/", headers={"Host": "gr4ce.example.com"})
    text = logged(lines)
    assert "django.security.DisallowedHost: 400 Bad Request: GET (no view)" in text
    assert "Traceback" not in text


@pytest.mark.django_db
def test_s11_a_forged_form_is_not_repeated(lines):
    client = Client(enforce_csrf_checks=True)
    client.post("/admin/login/?next=/gr4ce", headers={"Referer": "https://gr4ce/"})
    assert "403 Forbidden: POST admin:login" in logged(lines)


@pytest.mark.django_db
def test_s11_an_error_of_a_view_shows_the_code_without_the_values(client, lines, monkeypatch):
    def fail(*_, **__):
        raise ValueError(NAME)

    monkeypatch.setattr("django.contrib.auth.forms.AuthenticationForm.__init__", fail)
    client.raise_request_exception = False
    assert client.get("/admin/login/?next=/gr4ce").status_code == 500
    text = logged(lines)
    assert "500 Internal Server Error: GET admin:login" in text
    assert "in fail" in text


@pytest.mark.django_db
def test_s11_delayed_logins_are_logged_without_the_name(client, lines):
    form = {"username": ADDRESS, "password": "hunter2"}
    statuses = [client.post("/admin/login/", form).status_code for _ in range(12)]
    assert statuses[-1] == 429
    assert "429 Too Many Requests: POST admin:login" in logged(lines)


def unique():
    User.objects.create(username=NAME)
    User.objects.create(username=NAME)


def too_long():
    Group.objects.create(name=NAME * 100)


def invalid():
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::int", [NAME])


def misspelled():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM nowhere WHERE name = '{NAME}'")


def refused_by_a_mail_server():
    raise smtplib.SMTPRecipientsRefused({ADDRESS: (550, NAME.encode())})


def not_reached():
    requests.get(HOOK, timeout=1)


def chained():
    try:
        _ = dict[str, str]()[NAME]
    except KeyError as error:
        raise ValidationError(NAME) from error


def grouped():
    raise ExceptionGroup(NAME, [ValueError(NAME), KeyError(NAME)])


def noted():
    error = ValueError(NAME)
    error.add_note(NAME)
    raise error


ERRORS = {
    unique: "constraint auth_user_username_key",
    too_long: "StringDataRightTruncation",
    invalid: "DataError",
    misspelled: 'ProgrammingError: relation "nowhere" does not exist',
    refused_by_a_mail_server: "smtplib.SMTPRecipientsRefused",
    not_reached: "requests.exceptions.ConnectionError",
    chained: "django.core.exceptions.ValidationError",
    grouped: "ExceptionGroup",
    noted: "ValueError",
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fail", "kind"), ERRORS.items(), ids=lambda each: getattr(each, "__name__", "")
)
def test_s11_an_error_is_its_kind_and_its_place(lines, fail, kind):
    try:
        fail()
    except Exception:
        logging.getLogger("a.library").exception("Failed")
    text = logged(lines)
    assert kind in text
    assert f"in {fail.__name__}" in text


def test_s11_an_error_as_an_argument_or_message_is_only_its_kind(lines):
    logger = logging.getLogger("a.library")
    logger.warning("Failed: %s", KeyError("gr4ce"))
    logger.warning(ValidationError("H0pper"))
    assert "Failed: KeyError" in logged(lines)


def test_s11_containers_models_and_bodies_are_only_their_types(lines):
    logger = logging.getLogger("a.library")
    logger.warning("%s %r %s %s", {"a": "gr4ce"}, b"gr4ce", ["H0pper"], User(username="gr4ce"))
    assert "<dict> '<bytes>' <list> <User>" in logged(lines)


def test_s11_arguments_by_name_are_those_that_are_listed(lines):
    context = {"id": "7", "name": "a.task", "args": "('gr4ce',)", "exc": "KeyError('gr4ce')"}
    logging.getLogger("celery.app.trace").error(
        "Task %(name)s[%(id)s] got %(args)s: %(exc)s", context, extra={"data": context}
    )
    assert "Task a.task[7] got …: …" in logged(lines)


def test_s11_a_message_with_wrong_arguments_is_written_without_them():
    record = logging.LogRecord("a", logging.ERROR, "", 1, "%d of %d", ("gr4ce", "H0pper"), None)
    assert logs.RedactingFormatter().format(record).endswith("ERROR a: %d of %d")


def test_s11_a_message_is_one_line(lines):
    logging.getLogger("celery.worker.consumer").error(
        "Unknown task %r.\n\nbody: %s", "x", "('gr4ce',)"
    )
    assert "Unknown task 'x'." in logged(lines)


def test_s11_text_that_another_formatter_left_on_the_record_is_not_used(lines):
    record = logging.LogRecord("a", logging.ERROR, "", 1, "Failed", None, None)
    record.exc_text = "KeyError: 'gr4ce'"
    logging.getLogger().handle(record)
    assert "Failed" in logged(lines)


def test_numbers_identifiers_and_connection_errors_stay(lines):
    number = UUID(int=7)
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect("postgresql://plumbline:hunter2@127.0.0.1:1/plumbline")
    logging.getLogger("a").warning("%d of %s: %s", 7, number, caught.value)
    text = logged(lines)
    assert f"7 of {number}: psycopg.OperationalError: connection failed" in text
    assert "Connection refused" in text


def test_s11_every_handler_of_every_logger_redacts():
    app.log.setup_logging_subsystem(loglevel="INFO")  # what a worker does when it starts
    names = logging.root.manager.loggerDict.keys() - {"pyasn1"}  # silent until debugged by hand
    handlers = {
        handler
        for logger in [logging.getLogger(), *map(logging.getLogger, names)]
        for handler in logger.handlers
        if not isinstance(handler, logging.NullHandler)
        and "_pytest" not in type(handler).__module__
    }
    assert handlers
    assert {type(handler.formatter) for handler in handlers} == {logs.RedactingFormatter}
