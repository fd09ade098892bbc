"""The function that handles each request."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote

from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import PAGE, Kind, Params, Specification
from devstack.fake_stripe.state import StripeState

Handler = Callable[..., Any]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True)
class Route:
    method: str
    path: re.Pattern[str]
    specification: Specification
    handler: Handler


ROUTES: list[Route] = []
# Method, path and function of the pages for people; a function gives a status and HTML, or 303 and
# an address.
PAGES: list[tuple[str, re.Pattern[str], Callable[..., tuple[int, str]]]] = []


def route(method: str, path: str, specification: Specification | None = None) -> Callable[[H], H]:
    """Register `handler(state, params, *ids)`; `{...}` in the path is an id."""
    pattern = re.compile(re.sub(r"\{\w+\}", "([^/]+)", path))

    def register(handler: H) -> H:
        ROUTES.append(Route(method, pattern, specification or {}, handler))
        return handler

    return register


def page(method: str, path: str) -> Callable[[H], H]:
    """Register `show(state, form, *ids)` for a page."""
    pattern = re.compile(re.sub(r"\{\w+\}", "([^/]+)", path))

    def register(show: H) -> H:
        PAGES.append((method, pattern, show))
        return show

    return register


def matching(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    for candidate in ROUTES:
        if candidate.method == method and (match := candidate.path.fullmatch(path)):
            return candidate, tuple(unquote(group) for group in match.groups())
    return None


def readable(kind: str, path: str, **filters: Kind) -> None:
    """Add the retrieve and list requests of a kind; a filter compares the field of its name."""

    def retrieve(state: StripeState, params: Params, object_id: str) -> Object:
        stored: Object = state.find(kind, object_id, in_path=True)
        return stored

    def listing(state: StripeState, params: Params) -> Object:
        return state.page(kind, path, params, filters)

    route("GET", path, {**PAGE, **filters})(listing)
    route("GET", f"{path}/{{id}}")(retrieve)
