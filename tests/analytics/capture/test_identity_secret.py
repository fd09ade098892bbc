"""The identity secret: its page, and the snippets with which backends sign distinct ids."""

import os
import re
import shutil
import subprocess

import pytest

from analytics.calculations.people.identity_hash import identity_hash
from analytics.capture import snippets, verified_identity
from analytics.models import IdentitySecret
from tests.processes import ROOT

pytestmark = pytest.mark.django_db

PAGE = "/admin/analytics/identity-secret/"
SECRET, ID = "0123456789abcdef" * 4, "名前 <ada@example.com>"
RUN = {  # how each language runs a snippet, and the code that prints a signature
    "python": (["python3", "-c"], "\nimport sys\nprint(identity_hash(sys.argv[1]))"),
    "node": (["node", "-e"], "\nconsole.log(identityHash(process.argv[1]))"),
    "ruby": (["ruby", "-e"], "\nputs identity_hash(ARGV[0].dup.force_encoding('UTF-8'))"),
    "php": (["php", "-r"], "\necho identity_hash($argv[1]);"),
}


def text(response):
    return response.content.decode()


def test_the_secret_is_shown_on_request_only_and_not_cached(admin_client):
    assert not re.search(r"[0-9a-f]{64}", text(admin_client.get(PAGE)))
    response = admin_client.post(PAGE, {"action": "show"})
    secret = verified_identity.secret_of(IdentitySecret.objects.get())
    assert f"<code>{secret}</code>" in text(response)
    assert "no-store" in response.headers["Cache-Control"]


def test_a_replaced_secret_verifies_until_it_is_retired(admin_client):
    first = verified_identity.secret_of(verified_identity.current_secret())
    signature = {"action": "check", "id": ID, "hash": identity_hash(ID, first.encode())}
    admin_client.post(PAGE, {"action": "new"})
    assert "Valid: " in text(admin_client.post(PAGE, signature))
    admin_client.post(PAGE, {"action": "retire"})
    assert "Made with a retired secret" in text(admin_client.post(PAGE, signature))
    assert "Wrong: " in text(admin_client.post(PAGE, signature | {"id": "eve"}))


def test_the_secret_itself_is_not_in_the_database(admin_client):
    row = verified_identity.current_secret()
    assert row.salt not in verified_identity.secret_of(row)


def test_the_security_page_has_the_same_code():
    page = (ROOT / "docs" / "security.md").read_text()
    assert all(snippet.code in page for snippet in snippets.IDENTITY_SNIPPETS)


def test_a_secret_made_with_an_earlier_secret_key_still_verifies(settings):
    row = verified_identity.current_secret()
    signature = identity_hash(ID, verified_identity.secret_of(row).encode())
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 60, [settings.SECRET_KEY]
    assert verified_identity.verdict(ID, signature).startswith("Valid")


@pytest.mark.parametrize("language", RUN)
def test_the_snippet_of_each_language_signs_as_plumbline_verifies(language):
    command, call = RUN[language]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    code = {row.name: row.code for row in snippets.IDENTITY_SNIPPETS}[f"sign-{language}"]
    code = code.removeprefix("<?php\n") + call
    environment = {**os.environ, "PLUMBLINE_IDENTITY_SECRET": SECRET}
    run = subprocess.run(
        [*command, code, ID], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == identity_hash(ID, SECRET.encode())


def test_the_snippet_for_go_signs_as_plumbline_verifies(tmp_path):
    if not shutil.which("go"):
        pytest.skip("go is not installed")
    code = {row.name: row.code for row in snippets.IDENTITY_SNIPPETS}["sign-go"]
    program = tmp_path / "sign.go"
    program.write_text(
        code.replace('\t"os"\n', '\t"fmt"\n\t"os"\n')
        + "\n\nfunc main() { fmt.Println(identityHash(os.Args[1])) }\n"
    )
    environment = {**os.environ, "PLUMBLINE_IDENTITY_SECRET": SECRET, "GOCACHE": str(tmp_path)}
    run = subprocess.run(
        ["go", "run", program, ID], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == identity_hash(ID, SECRET.encode())
