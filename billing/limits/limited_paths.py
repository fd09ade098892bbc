"""The requests that a limit applies to, and their person: PLUMBLINE_LIMITED_PATHS."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from common.calculations.json_reading import read_json

NAME = "PLUMBLINE_LIMITED_PATHS"
SOURCES = "header", "query", "json"
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
_FIELDS = {"path", "meter", "person", "methods"}


@dataclass(frozen=True, slots=True)
class LimitedPath:
    """Each successful request uses one unit of a meter. `person` is like ``json:distinct_id``."""

    path: re.Pattern[str]
    meter: str
    person: str
    methods: frozenset[str]

    def matches(self, request: HttpRequest) -> bool:
        """Whether the path matches with or without its last slash, as paths work either way."""
        bare = request.path.removesuffix("/")
        is_limited = self.path.search(bare) or self.path.search(f"{bare}/")
        method = "GET" if request.method == "HEAD" else request.method  # the same view answers
        return method in self.methods and is_limited is not None

    def distinct_id(self, request: HttpRequest) -> str:
        """Return the distinct id in a request, "" if there is none."""
        source, _, name = self.person.partition(":")
        if source == "header":
            return request.headers.get(name, "")
        if source == "query":
            return request.GET.get(name, "")
        try:
            body = read_json(request.body)
        except ValueError:
            return ""
        value = body.get(name) if isinstance(body, dict) else None
        return value if isinstance(value, str) else ""


def limited_paths(entries: Iterable[Any]) -> list[LimitedPath]:
    """Return the setting's entries; raise ImproperlyConfigured naming the entry and field."""
    return [_limited_path(entry, number) for number, entry in enumerate(entries)]


def _limited_path(entry: Any, number: int) -> LimitedPath:
    where = f"{NAME}, entry {number}"
    if not isinstance(entry, Mapping):
        raise ImproperlyConfigured(f"{where}: {entry!r} is not an object.")
    if unknown := sorted(set(entry) - _FIELDS):
        raise ImproperlyConfigured(f"{where}: unknown field {unknown[0]!r}.")
    for name in ("path", "meter", "person"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise ImproperlyConfigured(f"{where}: {name} is missing.")
    source, _, name = entry["person"].partition(":")
    if source not in SOURCES or not name:
        example = "header:X-Distinct-Id, query:distinct_id or json:distinct_id"
        raise ImproperlyConfigured(f"{where}: person: {entry['person']!r} must be like {example}.")
    try:
        path = re.compile(entry["path"])
    except re.error as error:
        raise ImproperlyConfigured(f"{where}: path: not a regular expression: {error}.") from error
    methods = entry.get("methods", ["POST"])
    if not isinstance(methods, list) or not methods or not set(map(str, methods)) <= METHODS:
        raise ImproperlyConfigured(
            f"{where}: methods: {methods!r} must be a list such as ['POST']."
        )
    return LimitedPath(path, entry["meter"], entry["person"], frozenset(methods))
