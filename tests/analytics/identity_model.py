"""A naive model of identity: plain objects, one event after the other, no database.

It shares no code with the product, so that the same mistake cannot hide in both.
"""

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

    def forget_equal_claims(self) -> None:
        for name, value in self.proved.items():
            if name in self.claims and self.claims[name] == value:
                del self.claims[name]

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


@dataclass
class World:
    """All persons, and the journal: tuples of a verdict and the event and ids it concerns."""

    persons: list[Person] = field(default_factory=list)
    journal: list[tuple] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)  # uuids

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
        if cannot_identify(distinct_id):
            return
        person = self._get_or_create(distinct_id)
        if person.proved_ids and distinct_id not in person.proved_ids:
            self._record("split", event, "", {}, distinct_id)
            own = Person({distinct_id})
            own.events = [past for past in person.events if past["distinct_id"] == distinct_id]
            person.events = [past for past in person.events if past not in own.events]
            person.ids.remove(distinct_id)
            self.persons.append(own)
            person = own
        person.proved_ids.add(distinct_id)

    def _refusal(self, event: dict, person: Person | None, other: Person | None) -> str | None:
        proof, is_dangerous = event["proof"], event["event"] == "$merge_dangerously"
        if person and other and other.identified and not is_dangerous:
            return "cannot_merge_already_identified"
        if is_dangerous and proof == "claimed":
            return "unproved"
        if person and person.proved_ids and proof == "claimed":
            return "protected"
        if other and other.proved_ids and proof != "proved":
            return "protected"
        return None

    def _same_person(self, event: dict, other_id: str) -> None:
        distinct_id = event["distinct_id"]
        if cannot_identify(distinct_id) or cannot_identify(other_id):
            self._record("illegal_distinct_id", event, other_id, {})
            return
        person, other = self.find(distinct_id), self.find(other_id)
        if event["proof"] == "proved":
            if person and person is other:
                person.proved_ids.add(other_id)
            else:
                self._prove(event, other_id)
                other = self.find(other_id)
        if person and person is other:
            person.identified = True
            return
        if verdict := self._refusal(event, person, other):
            self._record(verdict, event, other_id, {})
            return
        if person and other:
            before = {
                "distinct_ids": sorted(other.ids),
                "person": _side(person),
                "other": _side(other),
                "newly_proved": [],
            }
            self._record("merged", event, other_id, before)
            self.persons.remove(other)
            person.ids |= other.ids
            person.events += other.events
            person.claims = {**other.claims, **person.claims}
            person.proved = {**other.proved, **person.proved}
            person.proved_ids |= other.proved_ids
            person.forget_equal_claims()
            decisions = {person.excluded_by_hand, other.excluded_by_hand} - {None}
            person.excluded_by_hand = any(decisions) if decisions else None
        person = person or other or self._get_or_create(distinct_id)
        person.ids |= {distinct_id, other_id}
        person.identified = True

    def _get_or_create(self, distinct_id: str) -> Person:
        person = self.find(distinct_id)
        if person is None:
            person = Person({distinct_id})
            self.persons.append(person)
        return person

    def _set(self, person: Person, properties: dict, is_proved: bool) -> None:
        layer = person.proved if is_proved else person.claims
        for name, value in properties.get("$set_once", {}).items():
            if is_proved or name not in person.proved:
                layer.setdefault(name, value)
        layer.update(properties.get("$set", {}))
        for name in properties.get("$unset", []):
            person.claims.pop(name, None)
            if is_proved:
                person.proved.pop(name, None)
        person.forget_equal_claims()

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
        "email_claimed_with": None,
        "is_identified": person.identified,
        "excluded_by_hand": person.excluded_by_hand,
        "is_demo": False,
    }


def _has_profile(event: dict) -> bool:
    linking = event["event"] in {"$identify", "$create_alias", "$merge_dangerously"}
    return linking or event["properties"].get("$process_person_profile", True)
