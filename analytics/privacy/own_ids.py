"""Which distinct ids are certainly those of persons: everyone can claim that an id is theirs."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from analytics.models import DistinctId


@dataclass(frozen=True, slots=True)
class OwnIds:
    """The distinct ids of persons.

    `certain` are the proved ids, and the id of a person that has only this one. `own` are the
    proved ids, and all ids of a person without a proved one: who erases it vouches for them.
    """

    every: frozenset[str]
    own: frozenset[str]
    certain: frozenset[str]


def own_ids(person_ids: Collection[int]) -> OwnIds:
    """Return the ids of persons, by how certain they are."""
    ids_of: dict[int, dict[str, bool]] = defaultdict(dict)
    rows = DistinctId.objects.filter(person__in=person_ids)
    for person_id, id_, proved in rows.values_list("person_id", "pk", "proved"):
        ids_of[person_id][id_] = proved
    own, certain = set[str](), set[str]()
    for ids in ids_of.values():
        proved_ids = {id_ for id_, proved in ids.items() if proved}
        own |= proved_ids or ids.keys()
        certain |= proved_ids or (ids.keys() if len(ids) == 1 else set())
    every = frozenset(id_ for ids in ids_of.values() for id_ in ids)
    return OwnIds(every, frozenset(own), frozenset(certain))
