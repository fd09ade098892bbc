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
LABEL_NAMES = {"title", "label", "description", "verbose_name", "short_description", "name"}
# Links and their groups in the sidebar, Django's messages, and forms with their buttons.
LABELING_CALL = re.compile(r"(?i)link$|^SidebarGroup$|^(success|info|warning|error)$|^form$")


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


def label_nodes(tree):
    """Yield the parts of a module that hold labels: by keyword, key, attribute or callee."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg=name, value=value) if name in LABEL_NAMES:
                yield value
            case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value):
                if name in LABEL_NAMES:
                    yield value
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments):
                if LABELING_CALL.search(name):
                    yield from arguments
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                yield from (value for key, value in pairs if names_a_label(key))


def names_a_label(key):
    """Return whether the value of a dictionary's key is a label: "title" or an enum member."""
    return isinstance(key, ast.Attribute) or getattr(key, "value", None) in LABEL_NAMES


def in_code():
    """Yield the labels in the modules that make pages; a label may be markup itself."""
    folders = [*(ROOT / name for name in PACKAGES), ROOT / "devstack" / "fake_stripe" / "pages"]
    for module in (module for folder in folders for module in folder.glob("**/*.py")):
        for labels in label_nodes(ast.parse(module.read_text())):
            for node in ast.walk(labels):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield from MARKUP.split(node.value)


def in_scripts():
    for script in ROOT.glob("static/**/*.js"):
        yield from re.findall(r"[\"'`]([^\"'`\n]+)[\"'`]", script.read_text())


def of_models():
    """Yield the names of models, their fields, choices and permissions, as the admin shows them."""
    for model in apps.get_models():
        names = model._meta
        yield from (names.verbose_name, names.verbose_name_plural)
        yield from (field.verbose_name for field in names.fields)
        yield from (label for field in names.fields for _, label in field.flatchoices)
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


def test_only_labels_of_a_module_count():
    tree = ast.parse(
        "title = 'Title'\n"
        "page_link('Link', icon='icon')\n"
        "call(name='Name', other='other')\n"
        "{'label': 'Label', Band.HIGH: 'High', 'key': 'value'}\n"
        "return_value = 'any text'\n"
    )
    labels = [node.value for node in label_nodes(tree)]
    assert sorted(labels) == ["High", "Label", "Link", "Name", "Title"]
