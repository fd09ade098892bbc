"""A naive model of identity: plain objects, one event after the other, no database.

It shares no code with the product, so that the same mistake cannot hide in both.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

PLACEHOLDERS = "anonymous guest distinctid distinct_id id not_authenticated email undefined true"
ILLEGAL_IN_ANY_CASE = {*PLACEHOLDERS.split(), "false"}
ILLEGAL = {"[object Object]", "NaN", "None", "none", "null", "0", "", '""', "''", '" "', "' '"}


def cannot_identify(distinct_id: str) -> bool:
    return distinct_id.strip() in ILLEGAL or distinct_id.strip().lower() in ILLEGAL_IN_ANY_CASE


@dataclass(eq=False)
class Person:
    ids: set[str]
    claims: dict[str, Any] = field(default_factory=dict)
    proved: dict[str, Any] = field(default_factory=dict)
    proved_ids: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    events: list[dict] = field(default_factory=list)
    identified: bool = False
    excluded_by_hand: bool | None = None

    @property
    def properties(self) -> dict[str, Any]:
        return self.claims | self.proved

    @property
    def claimed(self) -> dict[str, Any]:
        """Return the claims that contradict a proved value."""
        return {
            name: value
            for name, value in self.claims.items()
            if name in self.proved and self.proved[name] != value
        }

    @property
    def has_profile(self) -> bool:
        return any(map(_has_profile, self.events))

    def set(self, layer: dict[str, Any], name: str, value: Any, bounds: "Bounds") -> None:
        if reason := bounds.reason(layer, {**layer, name: value}, name):
            self.refused[name] = reason
            return
        layer[name] = value
        self.refused.pop(name, None)
        if name in self.proved and name in self.claims and self.claims[name] == self.proved[name]:
            del self.claims[name]

    def add_missing(self, other: "Person", bounds: "Bounds") -> dict[str, list[str]]:
        """Set what only the other has, and return the names by layer."""
        earlier, self.refused = self.refused, {}
        taken_over: dict[str, list[str]] = {}
        for kind in ("claims", "proved"):
            layer, others = getattr(self, kind), getattr(other, kind)
            missing = sorted(others.keys() - layer.keys())
            for name in missing:
                if reason := bounds.reason(layer, {**layer, name: others[name]}, name):
                    self.refused[name] = reason
                else:
                    layer[name] = others[name]
            taken_over[kind] = [name for name in missing if name in layer]
        self.refused = {**earlier, **other.refused, **self.refused}
        for name in {*self.claims} & {*self.proved}:
            if self.claims[name] == self.proved[name]:
                del self.claims[name]
        return taken_over

    def first(self, name: str | None = None) -> datetime | None:
        """Return the time of the first event of this name, or of the first of all events."""
        return min(
            (
                datetime.fromisoformat(event["timestamp"])
                for event in self.events
                if name in {None, event["event"]}
            ),
            default=None,
        )


@dataclass(frozen=True)
class Bounds:
    """Of a layer of properties, in bytes of JSON without the spaces."""

    size: int = 512 * 1024
    value: int = 64 * 1024
    names: int = 1_000

    def reason(self, before: dict[str, Any], after: dict[str, Any], name: str) -> str | None:
        """Return why a property cannot be set."""
        if _size({name: after[name]}) > self.value:
            return "value_too_large"
        if len(after) > max(self.names, len(before)):
            return "too_many_names"
        if _size(after) > max(self.size, _size(before)):
            return "properties_too_large"
        return None


@dataclass
class World:
    """All persons, and the journal: tuples of a verdict and the event and ids it concerns."""

    persons: list[Person] = field(default_factory=list)
    journal: list[tuple] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)  # uuids
    bounds: Bounds = Bounds()

    def find(self, distinct_id: str) -> Person | None:
        return next((person for person in self.persons if distinct_id in person.ids), None)

    def apply(self, event: dict) -> None:
        if event["uuid"] in self.seen:
            return
        self.seen.add(event["uuid"])
        properties = event["properties"]
        other_id = None
        if event["event"] == "$identify":
            other_id = properties.get("$anon_distinct_id")
        elif event["event"] in {"$create_alias", "$merge_dangerously"}:
            other_id = properties.get("alias")
        if event["proof"] != "claimed":
            self._prove(event, event["distinct_id"])
        if other_id is not None and other_id != event["distinct_id"]:
            self._same_person(event, other_id)
        person = self._get_or_create(event["distinct_id"])
        if event["event"] == "$identify" and not cannot_identify(event["distinct_id"]):
            person.identified = True
        person.events.append(event)
        if _has_profile(event):
            self._set(person, properties, event["proof"] == "proved")

    def _prove(self, event: dict, distinct_id: str) -> None:
        if not cannot_identify(distinct_id):
            self._split(event, distinct_id)
            self._get_or_create(distinct_id).proved_ids.add(distinct_id)

    def _split(self, event: dict, distinct_id: str) -> None:
        person = self.find(distinct_id)
        if person and person.proved_ids and distinct_id not in person.proved_ids:
            self._record("split", event, "", {}, distinct_id)
            own = Person({distinct_id})
            own.events = [past for past in person.events if past["distinct_id"] == distinct_id]
            person.events = [past for past in person.events if past not in own.events]
            person.ids.remove(distinct_id)
            self.persons.append(own)

    def _refusal(self, event: dict, person: Person | None, other: Person | None) -> str | None:
        proof, is_dangerous = event["proof"], event["event"] == "$merge_dangerously"
        if person and other and other.identified and not is_dangerous:
            return "cannot_merge_already_identified"
        if is_dangerous and proof == "claimed":
            return "unproved"
        if person and person.proved_ids and proof == "claimed":
            return "protected"
        if other and other.proved_ids and (proof != "proved" or not is_dangerous):
            return "protected"
        spreads = other and other.excluded_by_hand and not (person and person.excluded_by_hand)
        if spreads and proof != "proved":
            return "protected"
        return None

    def _same_person(self, event: dict, other_id: str) -> None:
        distinct_id = event["distinct_id"]
        if cannot_identify(distinct_id) or cannot_identify(other_id):
            self._record("illegal_distinct_id", event, other_id, {})
            return
        person, other = self.find(distinct_id), self.find(other_id)
        is_proved = event["proof"] == "proved"
        if is_proved and (other is not person or not other):
            self._split(event, other_id)
            other = self.find(other_id)
        if person and person is other:
            person.identified = True
            person.proved_ids |= {other_id} if is_proved else set()
            return
        if verdict := self._refusal(event, person, other):
            self._record(verdict, event, other_id, {})
            return
        if person and other:
            before: dict[str, Any] = {
                "distinct_ids": sorted(other.ids),
                "person": _flags(person),
                "other": _side(other),
                "newly_proved": [],
            }
            before["person"]["taken_over"] = person.add_missing(other, self.bounds)
            self._record("merged", event, other_id, before)
            self.persons.remove(other)
            person.ids |= other.ids
            person.events += other.events
            person.proved_ids |= other.proved_ids
            decisions = {person.excluded_by_hand, other.excluded_by_hand} - {None}
            person.excluded_by_hand = any(decisions) if decisions else None
        person = person or other or self._get_or_create(distinct_id)
        person.ids |= {distinct_id, other_id}
        person.proved_ids |= {other_id} if is_proved else set()
        person.identified = True

    def _get_or_create(self, distinct_id: str) -> Person:
        person = self.find(distinct_id)
        if person is None:
            person = Person({distinct_id})
            self.persons.append(person)
        return person

    def _set(self, person: Person, properties: dict, is_proved: bool) -> None:
        layer = person.proved if is_proved else person.claims
        unset = properties.get("$unset", [])
        for name in unset:
            person.refused.pop(name, None)
            person.claims.pop(name, None)
            if is_proved:
                person.proved.pop(name, None)
        new = {
            name: value
            for name, value in properties.get("$set_once", {}).items()
            if name not in layer and (is_proved or name not in person.proved)
        } | properties.get("$set", {})
        for name, value in new.items():
            if name not in unset:
                person.set(layer, name, value, self.bounds)

    def _record(
        self, verdict: str, event: dict, other_id: str, before: dict, distinct_id: str = ""
    ) -> None:
        ids = distinct_id or event["distinct_id"], other_id
        self.journal.append((verdict, event["event"], event["uuid"], *ids, before))


def _side(person: Person) -> dict:
    return {
        "properties": dict(person.properties),
        "proved": dict(person.proved),
        "claimed": dict(person.claimed),
        "refused": dict(person.refused),
    } | _flags(person)


def _flags(person: Person) -> dict:
    return {
        "email_claimed_with": None,
        "is_identified": person.identified,
        "excluded_by_hand": person.excluded_by_hand,
        "is_demo": False,
    }


def _has_profile(event: dict) -> bool:
    linking = event["event"] in {"$identify", "$create_alias", "$merge_dangerously"}
    return linking or event["properties"].get("$process_person_profile", True)


def _size(properties: dict[str, Any]) -> int:
    """Return the size of an object without its braces, and a comma for each property.

    Each value inside of a property's value counts 64 more.
    """
    nested = sum(map(_nested, properties.values()))
    return len(json.dumps(properties, separators=(",", ":"))) - 1 + 64 * nested


def _nested(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return len(value) + sum(map(_nested, value)) if isinstance(value, list) else 0
