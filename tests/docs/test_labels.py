"""Labels that the docs quote, in italics, are on the screen, word for word."""

import ast
import re
from html import unescape

import pytest
from django.apps import apps
from django.utils.text import capfirst

from tests.processes import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")])
CODE = re.compile(r"^```.*?^```|^    .*?$|`[^`\n]*`|\*\*.+?\*\*", re.MULTILINE | re.DOTALL)
LABEL = re.compile(r"(?<![\w*])\*(?!\s)([^*]+?)\*(?![\w*])")
MARKUP = re.compile(r"<[^>]*>|{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
PACKAGES = ("common", "analytics", "billing", "growth", "operational", "config")


def one_line(text):
    return capfirst(" ".join(text.split()).rstrip(".:"))


def quoted_labels(page):
    """Return each label that a page quotes."""
    return [one_line(label) for label in LABEL.findall(CODE.sub("", page.read_text()))]


def in_templates():
    """Yield the texts between a template's tags, and those that its tags and attributes hold."""
    for template in ROOT.glob("templates/**/*.*"):
        source = template.read_text()
        yield from MARKUP.split(source)
        yield from re.findall(r'"([^"<>]+)"', source)


def in_code():
    """Yield the texts of the modules that make pages; a text may be markup itself."""
    folders = [*(ROOT / name for name in PACKAGES), ROOT / "devstack" / "fake_stripe" / "pages"]
    for module in (module for folder in folders for module in folder.glob("**/*.py")):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from MARKUP.split(node.value)


def in_scripts():
    for script in ROOT.glob("static/**/*.js"):
        yield from re.findall(r"[\"'`]([^\"'`\n]+)[\"'`]", script.read_text())


def of_models():
    """Yield the names of models, their fields and permissions, as the admin shows them."""
    for model in apps.get_models():
        names = model._meta
        yield from (names.verbose_name, names.verbose_name_plural)
        yield from (field.verbose_name for field in names.fields)
        yield from (f"Can {action} {names.verbose_name_raw}" for action in ("change", "delete"))


@pytest.fixture(scope="module")
def screen():
    texts = [*in_templates(), *in_code(), *in_scripts(), *map(str, of_models())]
    return {one_line(unescape(text)) for text in texts}


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.name)
def test_the_labels_on_the_page_are_on_the_screen(document, screen):
    assert [label for label in quoted_labels(document) if label not in screen] == []


def test_labels_are_what_stands_in_italics(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Open *Stripe\nevents*, **not** `*this*` and 2 * 3 * 4.")
    assert quoted_labels(page) == ["Stripe events"]
