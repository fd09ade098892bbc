"""What other apps add to analytics in `AppConfig.ready`: analytics imports none of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from common.late import LateRegistry

# Called with the ids of persons, in the transaction that erases them.
erasers: LateRegistry[Callable[[Sequence[int]], None]] = LateRegistry()

# Called with the ids of persons; return those that pay, which only staff may merge with each other.
payers: LateRegistry[Callable[[Collection[int]], set[int]]] = LateRegistry()

# Called with the ids of persons; return the e-mail addresses that others than events have proved.
proved_addresses: LateRegistry[Callable[[Collection[int]], Mapping[int, str]]] = LateRegistry()

# Names of events that are never activity, because an app puts them on persons itself.
passive_events: LateRegistry[Collection[str]] = LateRegistry()


@dataclass(frozen=True, slots=True)
class PersonLink:
    """A link from a person's page; `page` is the name of a URL that takes the person's id."""

    title: str
    page: str


person_links: list[PersonLink] = []
