"""`.env.example` and docs/configuration.md name exactly the variables that are read."""

import re
import runpy

import pytest

from config import env
from tests.processes import ROOT

VARIABLE = r"[A-Z][A-Z0-9_]+"


@pytest.fixture
def variables(monkeypatch):
    """The variables that the settings read, and those that `make up` reads besides."""
    names, read = set(), env.text

    def record(name, default=None):
        names.add(name)
        return read(name, default)

    monkeypatch.setattr(env, "text", record)
    for name in ("ANYMAIL_POSTMARK_SERVER_TOKEN", "ANYMAIL_WEBHOOK_SECRET"):
        monkeypatch.setenv(name, "user:secret")
    runpy.run_path(str(ROOT / "config" / "settings.py"))
    for module in ROOT.glob("devstack/**/*.py"):
        names |= set(re.findall(rf'environ\.get\("(PLUMBLINE_{VARIABLE})"', module.read_text()))
    return names


def test_the_example_has_every_variable(variables):
    example = (ROOT / ".env.example").read_text()
    assert set(re.findall(rf"^#({VARIABLE})=", example, re.MULTILINE)) == variables


def test_the_configuration_page_has_every_variable(variables):
    page = (ROOT / "docs" / "configuration.md").read_text()
    cells = re.findall(r"^\| (`[A-Z].*?`) \|", page, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(rf"`({VARIABLE})`", cell)}
    assert named == variables - {"ANYMAIL_POSTMARK_SERVER_TOKEN"}  # there are hundreds of them
