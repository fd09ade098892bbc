"""Decisions are numbered and indexed, and what pages refer to exists."""

import re

import pytest

from tests.processes import ROOT

DECISIONS = ROOT / "docs" / "decisions"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
STATUS = r"^Status: (?P<status>(?:accepted|rejected|superseded by .*), \d{4}-\d\d-\d\d.*)$"
PACKAGES = "common|analytics|billing|growth|operational|config|devstack|tests|docs|benchmarks"
# What looks like a name of the code: snake_case or CamelCase, and not cut off with dots.
NAME = re.compile(r"`((?=\w*(?:_|[a-z][A-Z]))[A-Za-z][\w.]*\w)`")
PATH = re.compile(rf"`((?:{PACKAGES}|templates|static)/[\w./-]*)`")


@pytest.fixture(scope="module")
def code():
    """The words of all Python code."""
    folders = [*PACKAGES.split("|"), "tests"]
    modules = [module for folder in folders for module in ROOT.glob(f"{folder}/**/*.py")]
    return {word for module in modules for word in re.findall(r"\w+", module.read_text())}


def decisions():
    return sorted(DECISIONS.glob("0*.md"))


def test_decisions_are_numbered_without_a_gap():
    numbers = [int(page.name[:4]) for page in decisions()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_index_has_the_number_title_and_status_of_every_decision():
    rows = [
        f"| {title[1]} | [{title[2]}]({page.name}) | {status['status']} |"
        for page in decisions()
        if (title := re.match(r"# (\d+)\. (.*)", page.read_text()))
        if (status := re.search(STATUS, page.read_text(), re.MULTILINE))
        if int(title[1]) == int(page.name[:4])
    ]
    index = (DECISIONS / "README.md").read_text()
    assert len(rows) == len(decisions())
    assert re.findall(r"^\| \d.*$", index, re.MULTILINE) == rows


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_on_a_page_exists(document):
    paths = PATH.findall(document.read_text())
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    "document", [ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")], ids=lambda path: path.name
)
def test_every_name_of_the_code_exists(document, code):
    names = NAME.findall(
        re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    )
    assert [name for name in names if not set(name.split(".")) <= code] == []


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_it(document):
    links = re.findall(r"\]\(([^)#:]+)[)#]", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def anchors(path):
    """Return the anchors of a page's headings, as the forge makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_heading_leads_to_it(document):
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", document.read_text())
    targets = [(document.parent / path if path else document, anchor) for path, anchor in links]
    assert [anchor for path, anchor in targets if anchor not in anchors(path)] == []


def test_the_index_of_the_docs_has_every_page():
    index = (ROOT / "docs" / "README.md").read_text()
    linked = set(re.findall(r"\]\(([^)#:/]+\.md)[)#]", index))
    assert linked == {page.name for page in ROOT.glob("docs/*.md")} - {"README.md"}
