"""A person's properties in two layers: what is proved, and what is only claimed.

The proved value of a property is in effect wherever there is one, and no claim changes it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from analytics.calculations.people.bounds import Properties, Refusal, forget, note
from analytics.calculations.people.timed import Moment, TimedProperties, Times, times_of_kept
from analytics.calculations.records import EventRecord, Proof

P = TypeVar("P", bound="Profile")


class PropertyChanges(NamedTuple):
    """Properties to set, to set where there is no value yet, and names to remove."""

    set: Mapping[str, Any] = {}
    set_once: Mapping[str, Any] = {}
    unset: Sequence[str] = ()


class Profile(msgspec.Struct, frozen=True):
    """The properties in effect, the proved ones among them, and the claims that contradict those.

    `email_claimed_with` is the project key that claimed the e-mail address in effect; None where
    it is proved or there is none. `refused` says why properties were not stored, by name.
    `set_at` has the times of claims, `proved_set_at` those of what is proved.
    """

    properties: Properties = {}
    proved: Properties = {}
    claimed: Properties = {}
    email_claimed_with: int | None = None
    refused: dict[str, str] = {}
    set_at: Times = {}
    proved_set_at: Times = {}

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
            set_at=times_of_kept(self.set_at, self.claims, claims),
            proved_set_at=times_of_kept(self.proved_set_at, self.proved, proved),
        )


class TakenOver(msgspec.Struct, frozen=True):
    """The names of the properties that a merge brought to the remaining person, by layer."""

    claims: list[str] = []
    proved: list[str] = []


class ProfileDraft:
    """A profile, within the bounds of each layer, while the events of a batch change it."""

    def __init__(self, profile: Profile) -> None:
        self._claims = TimedProperties(profile.claims, profile.set_at)
        self._proved = TimedProperties(profile.proved, profile.proved_set_at)
        self.email_claimed_with = profile.email_claimed_with
        self._refused = dict(profile.refused)

    @property
    def profile(self) -> Profile:
        claims, proved = self._claims.values, self._proved.values
        return Profile(
            properties={**claims, **proved},
            proved=dict(proved),
            claimed={name: value for name, value in claims.items() if name in proved},
            email_claimed_with=self.email_claimed_with,
            refused=dict(self._refused),
            set_at=dict(self._claims.times),
            proved_set_at=dict(self._proved.times),
        )

    def change(self, changes: PropertyChanges, record: EventRecord) -> Refusal | None:
        """Apply an event's changes, and return why a property was refused, if any was.

        A verified identity proves who sends the event, not that what it says is true.
        """
        email, moment = self._email, Moment.of_event(record)
        is_proved = record.proof >= Proof.PROVED
        layer = self._proved if is_proved else self._claims
        unset = set(changes.unset)
        for name in sorted(unset):
            self._remove({self._claims, layer}, name, moment)
        once = {
            name: value
            for name, value in changes.set_once.items()
            if layer.is_set_by(moment, name, once=True)
            and (is_proved or name not in self._proved.values)
        }
        refusals = [
            self._set(layer, name, value, moment, once=name not in changes.set)
            for name, value in {**once, **changes.set}.items()
            if name not in unset and layer.is_set_by(moment, name, once=name not in changes.set)
        ]
        for each in (self._claims, self._proved):
            each.limit_removed()
        self._note_claimed_email(email, record.project_key_id)
        return next(filter(None, refusals), None)

    def merge(self, other: Self) -> TakenOver:
        """Merge another person's profile; in each layer the remaining person's values win."""
        email = self._email
        claims, refused_claims = self._claims.add_missing_from(other._claims)
        proved, refused_proved = self._proved.add_missing_from(other._proved)
        for name, reason in {**other._refused, **refused_claims, **refused_proved}.items():
            note(self._refused, name, Refusal(reason))
        for name in {*claims, *proved}:
            self._forget_equal_claim(name)
        self._claims.limit_removed()
        self._note_claimed_email(email, other.email_claimed_with)
        return TakenOver(claims, proved)

    def _remove(self, layers: Collection[TimedProperties], name: str, moment: Moment) -> None:
        removing = [layer for layer in layers if layer.is_removed_by(moment, name)]
        for layer in removing:
            layer.remove(moment, name)
        if removing:
            forget(self._refused, name)

    def _set(
        self, layer: TimedProperties, name: str, value: Any, moment: Moment, *, once: bool
    ) -> Refusal | None:
        if refusal := layer.set_at(moment, name, value, once=once):
            note(self._refused, name, refusal)
            return refusal
        forget(self._refused, name)
        self._forget_equal_claim(name)
        return None

    def _forget_equal_claim(self, name: str) -> None:
        claims, proved = self._claims.values, self._proved.values
        if name in claims and name in proved and claims[name] == proved[name]:
            self._claims.unset(name)

    @property
    def _email(self) -> Any:
        """The address in effect."""
        return {**_email(self._claims.values), **_email(self._proved.values)}.get("email")

    def _note_claimed_email(self, before: Any, claimed_with: int | None) -> None:
        if "email" in self._proved.values or "email" not in self._claims.values:
            self.email_claimed_with = None
        elif self._email != before:
            self.email_claimed_with = claimed_with


def without_taken_over(
    now: P, taken_over: TakenOver, other: Profile, email_claimed_with: int | None
) -> P:
    """Return a merged profile without what came from `other` and has not changed since.

    `email_claimed_with` is the remaining person's before the merge.
    """
    return now.in_layers(
        _not_taken_over(now.claims, set(taken_over.claims), other.claims),
        _not_taken_over(now.proved, set(taken_over.proved), other.proved),
        email_claimed_with,
    )


def _not_taken_over(now: Properties, taken_over: set[str], other: Properties) -> Properties:
    return {
        name: value
        for name, value in now.items()
        if name not in taken_over or other.get(name) != value
    }


def _email(values: Properties) -> Properties:
    return {"email": values["email"]} if "email" in values else {}


def _without(values: Mapping[str, Any], names: Mapping[str, Any]) -> Properties:
    return {name: value for name, value in values.items() if name not in names}
