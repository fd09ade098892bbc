"""docs/architecture.md names the rooms and layers that exist; the tests have the same rooms."""

import re
import tomllib

import pytest

from tests.processes import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
APPS = PYPROJECT["root_packages"]
MOST_MODULES = 20
TEST_ROOMS = {  # of no single room of the app
    "billing": {
        "simulation/",  # a second computation of MRR
    },
    "operational": {
        "overview/browser/",  # the pages of the overview in Chromium
    },
}


def rooms(folder):
    """Return the packages below a folder, as paths below it."""
    return {f"{init.parent.relative_to(folder)}/" for init in folder.glob("*/**/__init__.py")}


def named_rooms(app):
    """Return what the first column of the app's table on the page names."""
    section = re.split(r"^#{2,3} (.*)\n", PAGE, flags=re.MULTILINE)
    table = section[section.index(app) + 1]
    cells = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize("app", APPS)
def test_the_page_names_the_rooms_of_the_app(app):
    assert named_rooms(app) == rooms(ROOT / app)


@pytest.mark.parametrize("app", APPS)
def test_the_tests_are_in_the_rooms_of_the_app(app):
    additional = rooms(ROOT / "tests" / app) - rooms(ROOT / app)
    assert additional == TEST_ROOMS.get(app, set())


def test_every_app_is_linted_and_has_a_section():
    packages = {init.parent.name for init in ROOT.glob("*/__init__.py")}
    assert set(APPS) == packages - {"tests", "benchmarks"}
    assert [app for app in re.findall(r"^### (\w+)$", PAGE, re.MULTILINE) if app not in APPS] == []


def test_the_page_shows_the_layers_that_are_enforced():
    shown_layers = {
        app: re.findall(r"`([^`]+)`", cell)
        for app, cell in re.findall(r"^\| ([\w.]+) \| (`.*<br>.*) \|$", PAGE, re.MULTILINE)
    }
    enforced = [contract for contract in PYPROJECT["contracts"] if "containers" in contract]
    assert shown_layers == {contract["containers"][0]: contract["layers"] for contract in enforced}


def test_no_folder_holds_too_many_modules():
    folders = {path.parent for app in APPS for path in (ROOT / app).glob("**/*.py")}
    folders = {folder for folder in folders if folder.name != "migrations"}
    sizes = {
        str(folder.relative_to(ROOT)): sum(path.stem != "__init__" for path in folder.glob("*.py"))
        for folder in folders
    }
    assert {folder: size for folder, size in sizes.items() if size > MOST_MODULES} == {}
