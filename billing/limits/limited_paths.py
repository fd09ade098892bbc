"""Which requests a limit is for, and whose they are: the setting PLUMBLINE_LIMITED_PATHS."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

NAME = "PLUMBLINE_LIMITED_PATHS"
PLACES = "header", "query", "json"
_FIELDS = {"path", "meter", "person", "methods"}


@dataclass(frozen=True, slots=True)
class LimitedPath:
    """Each request that succeeds uses one of a meter. `person` is such as ``json:distinct_id``."""

    path: re.Pattern[str]
    meter: str
    person: str
    methods: frozenset[str]

    def is_about(self, request: HttpRequest) -> bool:
        return request.method in self.methods and self.path.search(request.path) is not None

    def distinct_id(self, request: HttpRequest) -> str:
        """Return the distinct id that a request names, "" where it names none."""
        place, _, name = self.person.partition(":")
        if place == "header":
            return request.headers.get(name, "")
        if place == "query":
            return request.GET.get(name, "")
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            return ""
        found = body.get(name) if isinstance(body, dict) else None
        return found if isinstance(found, str) else ""


def limited_paths(entries: Iterable[Any]) -> list[LimitedPath]:
    """Return what the setting says, or raise ImproperlyConfigured naming the entry and field."""
    return [_limited_path(entry, number) for number, entry in enumerate(entries)]


def _limited_path(entry: Any, number: int) -> LimitedPath:
    where = f"{NAME}, entry {number}"
    if not isinstance(entry, Mapping):
        raise ImproperlyConfigured(f"{where}: {entry!r} is no object.")
    if unknown := sorted(set(entry) - _FIELDS):
        raise ImproperlyConfigured(f"{where}: there is no field {unknown[0]!r}.")
    for name in ("path", "meter", "person"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise ImproperlyConfigured(f"{where}: {name} is missing.")
    place, _, name = entry["person"].partition(":")
    if place not in PLACES or not name:
        example = "header:X-Distinct-Id, query:distinct_id or json:distinct_id"
        raise ImproperlyConfigured(
            f"{where}: person: {entry['person']!r} is not such as {example}."
        )
    try:
        path = re.compile(entry["path"])
    except re.error as error:
        raise ImproperlyConfigured(f"{where}: path: no regular expression: {error}.") from error
    methods = entry.get("methods", ["POST"])
    if not isinstance(methods, list) or not methods or not all(isinstance(m, str) for m in methods):
        raise ImproperlyConfigured(f"{where}: methods: {methods!r} is no list such as ['POST'].")
    return LimitedPath(path, entry["meter"], entry["person"], frozenset(methods))
