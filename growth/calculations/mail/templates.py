"""Texts of campaigns in Liquid, written by staff: checked when saved, bounded when rendered.

A value that is missing never leaves a gap ("Hi ,") nor a placeholder in a mail: rendering raises,
and saving says which variables need a fallback, such as `{{ name | default: "there" }}`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any

from liquid import BoundTemplate, Environment, FalsyStrictUndefined
from liquid.exceptions import FilterError, LiquidError, UndefinedError

LONGEST_TEMPLATE = 50_000  # characters
_LONGEST_RANGE = 1_000
_EXAMPLE = "Example"
_GAP = re.compile(r"[ \t\n][,.!?;:]")
_NO_TAGS = ("include", "render", "tablerow", "increment", "decrement")


class _Texts(Environment):
    """Limits that no mail needs and no worker notices."""

    block_nesting_limit = 10
    context_depth_limit = 10
    loop_iteration_limit = 1_000
    local_namespace_limit = 100_000  # bytes
    output_stream_limit = 200_000  # bytes

    def setup_tags_and_filters(self, **options: Any) -> None:
        super().setup_tags_and_filters(**options)
        for name in _NO_TAGS:
            self.tags.pop(name, None)
        for name, function in list(self.filters.items()):
            if name != "default":
                self.filters[name] = _guarded(function)


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have a filter refuse what is missing, which would count as 0, and ranges without end.

    Liquid's filters let errors of Python through, such as for the year 318857.
    """

    @wraps(function)  # with the marks by which Liquid adds the context
    def guarded(value: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(value, FalsyStrictUndefined):
            str(value)  # raises, with the variable's name and line
        for operand in (value, *arguments):
            if isinstance(operand, range) and len(operand) > _LONGEST_RANGE:
                raise FilterError(f"a range has more than {_LONGEST_RANGE:,} numbers", token=None)
        try:
            return function(value, *arguments, **named)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise FilterError(str(error), token=None) from error

    return guarded


_PLAIN = _Texts(undefined=FalsyStrictUndefined)
_HTML = _Texts(undefined=FalsyStrictUndefined, autoescape=True)


@dataclass(frozen=True, slots=True)
class ContentProblem:
    """What is wrong in a field, with the line where that is certain."""

    field: str
    text: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"{self.field}, line {self.line}" if self.line else self.field
        return f"{where}: {self.text}"


class NotRenderable(ValueError):
    """A text could not be rendered for a person; nothing may be sent."""

    def __init__(self, problem: ContentProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def render(field: str, source: str, values: Mapping[str, Any], *, html: bool = False) -> str:
    """Render a text; in HTML every value is escaped. Raise `NotRenderable`.

    Blank values are as missing ones, so that the fallback is used for both.
    """
    try:
        return _parsed(source, html).render(without_blanks(values))
    except LiquidError as error:
        raise NotRenderable(_problem(field, error)) from error


def without_blanks(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values without those that would leave a gap in a text."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            kept[name] = without_blanks(value)
        elif value is not None and not (isinstance(value, str) and not value.strip()):
            kept[name] = value
    return kept


def variables(source: str) -> list[str]:
    """Return the paths that a text reads from outside, sorted. Raise `LiquidError`."""
    return sorted(_parsed(source, False).global_variable_paths())


def problems(
    field: str, source: str, *, available: Collection[str], missing: Mapping[str, int]
) -> list[ContentProblem]:
    """Return what is wrong with a text.

    `available` are the variables that the trigger offers; `missing` says for how many persons of
    the audience each of them has no value.
    """
    if len(source) > LONGEST_TEMPLATE:
        return [ContentProblem(field, f"is longer than {LONGEST_TEMPLATE:,} characters")]
    try:
        paths = variables(source)
        if unavailable := [path for path in paths if path not in available]:
            return [_unavailable(field, source, path) for path in unavailable]
        whole = _render_example(source, paths)
    except LiquidError as error:
        return [_problem(field, error)]
    return list(_without_fallback(field, source, paths, whole, missing))


def _without_fallback(
    field: str, source: str, paths: Sequence[str], whole: str, missing: Mapping[str, int]
) -> Iterator[ContentProblem]:
    """Render with each variable missing, as it will be for some people."""
    for path in paths:
        count = missing.get(path, 0)
        if not count:
            continue
        persons = "1 person lacks" if count == 1 else f"{count:,} persons lack"
        try:
            text = _render_example(source, [other for other in paths if other != path])
        except UndefinedError:
            reason = "no fallback is set"
        except LiquidError as error:
            yield _problem(field, error)
            continue
        else:
            if len(_GAP.findall(text)) <= len(_GAP.findall(whole)):
                continue
            reason = "the fallback leaves a gap"
        yield ContentProblem(field, f"{persons} `{path}`, and {reason}", _line(source, path))


def _render_example(source: str, paths: Sequence[str]) -> str:
    values: dict[str, Any] = {}
    for path in paths:
        *parents, name = path.split(".")
        level = values
        for parent in parents:
            level = level.setdefault(parent, {})
        level.setdefault(name, _EXAMPLE)
    return _parsed(source, False).render(values)


def _unavailable(field: str, source: str, path: str) -> ContentProblem:
    text = f"`{path}` is not available in this campaign"
    return ContentProblem(field, text, _line(source, path))


def _line(source: str, path: str) -> int | None:
    """Return the line of the first output or tag that names a variable."""
    pattern = r"\{[{%][^}]*(?<![\w.])" + re.escape(path) + r"(?![\w.])"
    match = re.search(pattern, source)
    return source.count("\n", 0, match.end()) + 1 if match else None


def _problem(field: str, error: LiquidError) -> ContentProblem:
    context = error.context()
    return ContentProblem(field, str(error.message), context[0] if context else None)


@lru_cache(maxsize=256)
def _parsed(source: str, html: bool) -> BoundTemplate:
    return (_HTML if html else _PLAIN).from_string(source)
