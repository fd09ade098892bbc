"""What other apps add to analytics in `AppConfig.ready`: analytics imports none of them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.late import LateRegistry

# Where personal data is stored: `analytics.privacy.data_stores.DataStore`. Those of persons are
# erased in the transaction that erases these; those where others name them, before.
person_stores: LateRegistry[Sequence[Any]] = LateRegistry()
naming_stores: LateRegistry[Sequence[Any]] = LateRegistry()

# Called with the ids of persons once their own ids are remembered as erased, to do the same with
# other ids of theirs.
before_erasing: LateRegistry[Callable[[Sequence[int]], None]] = LateRegistry()

# JSON objects with further names and addresses of persons, by the ids of these.
personal_facts: LateRegistry[Callable[[Sequence[int]], Iterable[Any]]] = LateRegistry()

# What others still hold about persons: `analytics.privacy.receipts.ElsewhereCall`.
elsewhere: LateRegistry[Callable[[Sequence[int]], Iterable[Any]]] = LateRegistry()

# What is stored about a person, by a name: JSON values for the export.
exporters: LateRegistry[Callable[[int], Iterable[tuple[str, Iterable[Any]]]]] = LateRegistry()

# Called with the ids of persons; return those that pay, which only staff may merge with each other.
payers: LateRegistry[Callable[[Collection[int]], set[int]]] = LateRegistry()

# Called with the ids of persons; return the e-mail addresses that others than events have proved.
proved_addresses: LateRegistry[Callable[[Collection[int]], Mapping[int, str]]] = LateRegistry()

# Called with e-mail addresses; return those that no e-mail may go to, such as ones that bounced.
undeliverable_addresses: LateRegistry[Callable[[Collection[str]], Collection[str]]] = LateRegistry()

# Called by ingest, in its transaction, with a cursor, the new events, and the person of each.
events_stored: LateRegistry[Callable[[Any, Any, Any], None]] = LateRegistry()

# Called with a cursor and the ids of persons whose events, days or ids have changed by other means,
# such as a merge, in the transaction that changes them.
persons_changed: LateRegistry[Callable[[Any, Collection[int]], None]] = LateRegistry()

# Called with a cursor and the ids of persons whose first events have changed, or who got a profile,
# in ingest's transaction; after a rebuild of the roll-ups with None, for everyone.
milestones_changed: LateRegistry[Callable[[Any, Collection[int] | None], None]] = LateRegistry()

# Names of events that are never activity, because an app puts them on persons itself.
passive_events: LateRegistry[Collection[str]] = LateRegistry()


@dataclass(frozen=True, slots=True)
class PersonLink:
    """A link from a person's page; `page` is the name of a URL that takes the person's id."""

    title: str
    page: str


person_links: list[PersonLink] = []
