"""manage.py project_key."""

import pytest
from django.core.management import CommandError, call_command

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
    assert "Blog: revoked 2" in listed
    assert "Shop: not used yet" in listed
    assert token not in listed


@pytest.mark.parametrize("name", ["", "x" * 101])
def test_an_invalid_name_is_an_error(name):
    with pytest.raises(CommandError, match="name: "):
        call_command("project_key", "--name", name)
