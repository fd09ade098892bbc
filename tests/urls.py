"""Every address of Plumbline, enumerated from its URL patterns."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver

_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")


@dataclass(frozen=True)
class Address:
    """A URL pattern: a template such as `/admin/auth/user/<path:object_id>/` and its view."""

    template: str
    view: Any

    @property
    def parameters(self) -> list[str]:
        """Return the names of the parameters, in order."""
        return [name for _, name in _PARAMETER.findall(self.template)]

    def path(self, value: str) -> str:
        """Return a path with this text, percent-encoded, as every parameter."""
        return _PARAMETER.sub(lambda _: value, self.template)


def addresses() -> list[Address]:
    """Return every address, in the order in which Django tries them."""
    return list(_below(get_resolver().url_patterns, ""))


def _below(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[Address]:
    for entry in patterns:
        template = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _below(entry.url_patterns, template)
        else:
            yield Address(simplify_regex(template), entry.callback)
