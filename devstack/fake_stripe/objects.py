"""The fake Stripe's objects and its time."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import Any

from devstack.fake_stripe.errors import StripeError, no_such

Object = dict[str, Any]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class ObjectStore:
    """Objects by kind (Stripe's `object`) and id, oldest first. Fields that begin with an
    underscore are internal and never sent. Callers hold the server's lock.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.objects: dict[str, dict[str, Object]] = defaultdict(dict)
        self.random = Random(seed)  # noqa: S311  ids need to be unique, not secret
        self.simulated_time: int | None = None

    def new_id(self, prefix: str, length: int = 24) -> str:
        return f"{prefix}_{''.join(self.random.choices(_LETTERS, k=length))}"

    def new(self, kind: str, prefix: str, fields: Object) -> Object:
        """Store a new object; `fields` may contain its id."""
        made: Object = {"id": self.new_id(prefix), "object": kind, "livemode": False}
        made |= {"created": self.now(fields), "metadata": {}} | fields
        self.objects[kind][made["id"]] = made
        return made

    def find(self, kind: str, object_id: str, param: str = "id", *, in_path: bool = False) -> Any:
        """Return the object, or raise Stripe's error that names the parameter."""
        try:
            return self.objects[kind][object_id]
        except KeyError:
            raise no_such(kind, object_id, param, in_path=in_path) from None

    def get(self, kind: str, object_id: str) -> Object:
        """Return the object that another object refers to."""
        return self.objects[kind][object_id]

    def all(self, kind: str, **fields: Any) -> Iterator[Object]:
        for candidate in list(self.objects[kind].values()):
            if all(candidate.get(name) == value for name, value in fields.items()):
                yield candidate

    def page(
        self, kind: str, url: str, params: Object, filters: Iterable[str] | Mapping[str, Any] = ()
    ) -> Object:
        """Return a page of the objects that have these values, newest first."""
        wanted = {name: params[name] for name in filters if params.get(name) is not None}
        return self.list_page(kind, self.within(kind, params, wanted)[::-1], url, params)

    def within(self, kind: str, params: Object, wanted: Object) -> list[Object]:
        """Return the objects with these values, created within `created`, oldest first."""
        return [
            candidate
            for candidate in self.all(kind, **wanted)
            if _within(candidate, params) and not candidate.get("deleted")
        ]

    def list_page(self, kind: str, matches: list[Object], url: str, params: Object) -> Object:
        limit = params.get("limit", 10)
        if not 1 <= limit <= 100:
            raise StripeError("Limit must be between 1 and 100.", param="limit")
        ids = [candidate["id"] for candidate in matches]
        start, end = 0, len(matches)
        if after := params.get("starting_after"):
            self.find(kind, after, "starting_after")
            start = ids.index(after) + 1 if after in ids else end
        if before := params.get("ending_before"):
            self.find(kind, before, "ending_before")
            end = ids.index(before) if before in ids else 0
            start = max(start, end - limit)
        data = matches[start : min(end, start + limit)]
        more = start > 0 if before else start + limit < end
        return {"object": "list", "url": url, "has_more": more, "data": data}

    # Time

    def now(self, about: Object | None = None) -> int:
        """Return Unix seconds, by the test clock of the object or its customer if there is one."""
        if about and (clock := self.clock_of(about)):
            return int(clock["frozen_time"])
        return self.simulated_time or int(time.time())

    def clock_of(self, about: Object) -> Object | None:
        clock = about.get("test_clock")
        if not clock and (customer := self.objects["customer"].get(about.get("customer") or "")):
            clock = customer.get("test_clock")
        return self.objects["test_helpers.test_clock"].get(clock or "")


def _within(candidate: Object, params: Object) -> bool:
    comparisons: dict[str, Callable[[int, int], bool]] = {
        "gt": int.__gt__,
        "gte": int.__ge__,
        "lt": int.__lt__,
        "lte": int.__le__,
    }
    limits = params.get("created") or {}
    return all(comparisons[name](candidate["created"], limits[name]) for name in limits)
