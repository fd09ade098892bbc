"""A person's properties in two layers: what is proved, and what is only claimed.

The proved value of a property is in effect wherever there is one, and no claim changes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from analytics.calculations.records import EventRecord, Proof

Properties = dict[str, Any]
P = TypeVar("P", bound="Profile")


class PropertyChanges(NamedTuple):
    """Properties to set, to set where there is no value yet, and names to remove."""

    set: Mapping[str, Any] = {}
    set_once: Mapping[str, Any] = {}
    unset: Sequence[str] = ()


class Profile(msgspec.Struct, frozen=True):
    """The properties in effect, the proved ones among them, and the claims that contradict those.

    `email_claimed_with` is the project key that claimed the e-mail address in effect; None where
    it is proved or there is none.
    """

    properties: Properties = {}
    proved: Properties = {}
    claimed: Properties = {}
    email_claimed_with: int | None = None

    @property
    def claims(self) -> Properties:
        """The layer of claims, without those that equal the proved value."""
        return _without(self.properties, self.proved) | self.claimed

    def in_layers(self, claims: Properties, proved: Properties, claimed_with: int | None) -> Self:
        """Return the profile with other properties; `claimed_with`: the key of a new address."""
        properties = {**claims, **proved}
        if "email" in proved or "email" not in claims:
            claimed_with = None
        elif properties["email"] == self.properties.get("email"):
            claimed_with = self.email_claimed_with
        return msgspec.structs.replace(
            self,
            properties=properties,
            proved=proved,
            claimed={
                name: value
                for name, value in claims.items()
                if name in proved and proved[name] != value
            },
            email_claimed_with=claimed_with,
        )


def changed(profile: Profile, changes: PropertyChanges, record: EventRecord) -> Profile:
    """Return a profile after an event's changes.

    A verified identity proves who sends the event, not that what it says is true.
    """
    claims, proved = profile.claims, profile.proved
    if record.proof >= Proof.PROVED:
        proved = _without({**changes.set_once, **proved, **changes.set}, changes.unset)
    else:
        once = _without(changes.set_once, proved)
        claims = {**once, **claims, **changes.set}
    return profile.in_layers(_without(claims, changes.unset), proved, record.project_key_id)


def merged(person: Profile, other: Profile) -> Profile:
    """Return the profile of two persons; in each layer the remaining person's values win."""
    return person.in_layers(
        {**other.claims, **person.claims},
        {**other.proved, **person.proved},
        other.email_claimed_with,
    )


def without_taken_over(now: P, person: Profile, other: Profile) -> P:
    """Return a merged profile without what came from `other` and has not changed since."""
    return now.in_layers(
        _not_taken_over(now.claims, person.claims, other.claims),
        _not_taken_over(now.proved, person.proved, other.proved),
        person.email_claimed_with,
    )


def _not_taken_over(now: Properties, person: Properties, other: Properties) -> Properties:
    taken_over = _without(other, person)
    return {
        name: value
        for name, value in now.items()
        if name not in taken_over or taken_over[name] != value
    }


def _without(values: Mapping[str, Any], names: Sequence[str] | Mapping[str, Any]) -> Properties:
    return {name: value for name, value in values.items() if name not in names}
