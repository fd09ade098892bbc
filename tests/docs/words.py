"""Reads the lists of docs/words.md, and finds their entries in texts and names."""

import ast
import re
import subprocess
from bisect import bisect_right
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "words.md"
# The empty suffix: LICENSE, Makefile, .gitignore and scripts.
SUFFIXES = {"", *".css .example .html .js .md .py .sh .svg .toml .txt .yaml .yml".split()}
# The page and the checks quote what they forbid; migrations keep the texts of their time, and
# `static/unfold/` is of others.
NOT_CHECKED = re.compile(
    r"^docs/words\.md$|^tests/docs/(test_)?words\.py$|migrations/|^static/unfold/"
)
# Words that a file cannot do without.
ALLOWED = {
    "devstack/processes.py": {"nobody"},  # the Unix account
    "tests/devstack/conftest.py": {"nobody"},
    "tests/devstack/test_services.py": {"nobody"},
}

_TOKEN = re.compile(r"[A-Za-z0-9]+(?:'[a-z]+)?|[.,:;!?](?=\W|$)")
_TEMPLATE_NAME = re.compile(r"{%\s*(?:for|with)\s+(\w+)(?:\s+in|=)|\s+as\s+(\w+)\s*%}")
_SCRIPT_NAME = re.compile(r"\b(?:const|let|var|function)\s+(\w+)")


def section(heading):
    """Return the text of one section of the page."""
    parts = re.split(r"^## (.*)\n", PAGE.read_text(), flags=re.MULTILINE)
    return parts[parts.index(heading) + 1]


def rows(heading):
    """Return the rows of the section's table, as lists of cells, without its head."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


FORBIDDEN_NAMES = {
    name for line in section("Names to avoid").splitlines() if line.startswith("- ")
    for name in re.findall(r"`(\w+)`", line)
}  # fmt: skip


def normalized(text):
    """Return the words and end marks of a text, and the line of each."""
    tokens, lines, line_starts = [], [], [0]
    line_starts += [match.end() for match in re.finditer("\n", text)]
    for match in _TOKEN.finditer(text):
        tokens.append(match[0])
        lines.append(bisect_right(line_starts, match.start()))
    return tokens, lines


def phrase(text):
    return " ".join(normalized(text)[0])


def _any_of(texts):
    phrases = sorted(filter(None, map(phrase, texts)), key=len, reverse=True)
    return rf"\b(?:{'|'.join(map(re.escape, phrases))})\b"


WORDS = rows("Words and patterns to avoid")
FINE = _any_of(text for row in WORDS for text in row[2].split(";"))
AVOIDED_WORDS = _any_of(text for row in WORDS for text in row[0].split(";"))
AVOIDED_PHRASES = _any_of(row[0] for row in rows("Phrases"))
_PATTERN = re.compile(rf"(?i:{FINE})|(?P<avoided>(?i:{AVOIDED_WORDS})|{AVOIDED_PHRASES})")


def avoided_phrases(text):
    """Return (line, phrase) of everything in a text that the page asks to avoid."""
    tokens, lines = normalized(text)
    joined, starts, position = " ".join(tokens), [], 0
    for token in tokens:
        starts.append(position)
        position += len(token) + 1
    return [
        (lines[bisect_right(starts, match.start()) - 1], match["avoided"])
        for match in _PATTERN.finditer(joined)
        if match["avoided"]
    ]


def defined_names(source):
    """Yield (line, name) of all that a Python source names."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str(name)) | ast.MatchAs(name=str(name)):
                yield node.lineno, name


def names(path, source):
    if path.endswith(".py"):
        yield from defined_names(source)
    pattern = {".html": _TEMPLATE_NAME, ".js": _SCRIPT_NAME}.get(path[path.rfind(".") :])
    for number, line in enumerate(source.splitlines() if pattern else [], 1):
        for match in pattern.finditer(line):
            yield number, next(name for name in match.groups() if name)


def forbidden_names(path, source):
    return [
        (line, name)
        for line, name in names(path, source)
        if name.strip("_").lower() in FORBIDDEN_NAMES
    ]


def tracked_texts():
    """Return (path, text) of every tracked text that people write."""
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [path for path in listing.stdout.splitlines() if not NOT_CHECKED.search(path)]
    return [
        (path, (ROOT / path).read_text())
        for path in paths
        if (ROOT / path).suffix in SUFFIXES
        if (ROOT / path).is_file()
    ]
