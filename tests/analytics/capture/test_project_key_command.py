"""manage.py project_key."""

import pytest
from django.core.management import CommandError, call_command

from analytics.calculations.people.identity_hash import identity_hash
from analytics.models import Event
from tests import sdk

pytestmark = pytest.mark.django_db

EVENT = {"event": "used", "distinct_id": "ada"}


@pytest.fixture
def run(capsys):
    def run(*options):
        call_command("project_key", *options)
        return capsys.readouterr().out

    return run


def test_another_name_creates_another_key_once(run):
    token = run("--name", "Shop")
    assert token == run("--name", "Shop") != run()
    assert sdk.post("/batch/", {"api_key": token.strip(), "batch": [EVENT]}).status_code == 200


def test_a_revoked_key_is_refused_and_not_printed(run):
    token = run("--name", "Shop").strip()
    assert run("--revoke", "Shop") == "Shop is revoked\n"
    assert run("--revoke", "Shop") == "Shop was already revoked\n"
    assert sdk.post("/batch/", {"api_key": token, "batch": [EVENT]}).status_code == 401
    with pytest.raises(CommandError, match="Shop was revoked"):
        run("--name", "Shop")


def test_an_unknown_key_cannot_be_revoked(run):
    with pytest.raises(CommandError, match="no key Shpo"):
        run("--revoke", "Shpo")


def test_the_list_names_states_and_no_tokens(run):
    token = run("--name", "Shop").strip()
    run("--name", "Blog")
    run("--revoke", "Blog")
    listed = run("--list")
    assert "Blog: public, revoked 2" in listed
    assert "Shop: public, not used yet" in listed
    assert token not in listed


@pytest.mark.parametrize("name", ["", "x" * 101])
def test_an_invalid_name_is_an_error(name):
    with pytest.raises(CommandError, match="name: "):
        call_command("project_key", "--name", name)


def test_a_server_key_is_printed_once(run):
    token = run("--new-server-key", "Backend").strip()
    assert sdk.post("/batch/", {"api_key": token, "batch": [EVENT]}).status_code == 200
    for again in (["--name", "Backend"], ["--new-server-key", "Backend"]):
        with pytest.raises(CommandError, match="Backend"):
            run(*again)
    assert "Backend: server, not used yet" in run("--list")


def test_an_identity_secret_verifies_until_it_is_retired(run_secret):
    first = run_secret()
    assert first == run_secret()
    second = run_secret("--new")
    assert is_verified(first)
    assert is_verified(second)
    assert run_secret("--retire-earlier") == "Retired: 1 earlier secret"
    assert (is_verified(first), is_verified(second), run_secret()) == (False, True, second)


@pytest.fixture
def run_secret(capsys):
    def run(*options):
        call_command("identity_secret", *options)
        return capsys.readouterr().out.strip()

    return run


def is_verified(secret):
    """Whether the signature of events that are signed with the secret is valid."""
    properties = {"$identity_hash": identity_hash("ada", secret.encode())}
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": [EVENT | {"properties": properties}]})
    sdk.ingest()
    return Event.objects.latest("timestamp").properties.get("$identity_hash") != "invalid"
