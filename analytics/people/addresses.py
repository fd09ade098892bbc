"""Which address mail to a person goes to, and why: the only code that decides it.

Mail goes to proved addresses. Everyone who reads a public key can claim an address for any person,
so a claimed one is used only where staff trusts the key that claimed it.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from analytics.extension_points import proved_addresses, undeliverable_addresses
from analytics.models import Person, ProjectKey
from common.calculations.mailbox import has_plain_domain


class AddressSource(StrEnum):
    """Where a person's address comes from, and so whether it may be mailed."""

    PROVED = "proved by your backend or a verified identity"
    STRIPE = "the address of their Stripe customer"
    TRUSTED = "claimed with a key whose addresses you allow to be mailed"
    SUPPRESSED = "on the suppression list: it bounced, or its owner reported spam"
    CLAIMED = "only claimed, so it is not mailed"
    NONE = "no address"

    @property
    def may_be_mailed(self) -> bool:
        return self in {AddressSource.PROVED, AddressSource.STRIPE, AddressSource.TRUSTED}


@dataclass(frozen=True, slots=True)
class PersonAddress:
    """A person's address, "" if there is none. Do not mail it unless `may_be_mailed`."""

    address: str
    source: AddressSource

    @property
    def may_be_mailed(self) -> bool:
        return self.source.may_be_mailed

    @property
    def is_proved(self) -> bool:
        """Whether the backend vouches for it: at Stripe, too, every buyer can enter any."""
        return self.source is AddressSource.PROVED


def address_of(person: Person) -> PersonAddress:
    """Return the address of a person, with at most a query for each app that proves addresses."""
    return addresses_of([person])[person.pk]


def addresses_of(persons: Collection[Person]) -> dict[int, PersonAddress]:
    """Return the addresses of persons by id, with a bounded number of queries."""
    others = _proved_elsewhere([person.pk for person in persons if not _proved(person)])
    trusted = _trusted_keys({person.email_claimed_with for person in persons})
    decided = {
        person.pk: _decided(person, others.get(person.pk, ""), trusted) for person in persons
    }
    undeliverable = _undeliverable({row.address for row in decided.values() if row.may_be_mailed})
    return {
        person_id: replace(row, source=AddressSource.SUPPRESSED)
        if row.may_be_mailed and row.address in undeliverable
        else row
        for person_id, row in decided.items()
    }


def _decided(person: Person, elsewhere: str, trusted: Collection[int | None]) -> PersonAddress:
    if proved := _proved(person):
        return PersonAddress(proved, AddressSource.PROVED)
    if elsewhere:
        return PersonAddress(elsewhere, AddressSource.STRIPE)
    claimed = valid_address(person.properties.get("email"))
    if not claimed:
        return PersonAddress("", AddressSource.NONE)
    if person.email_claimed_with in trusted:
        return PersonAddress(claimed, AddressSource.TRUSTED)
    return PersonAddress(claimed, AddressSource.CLAIMED)


def _proved(person: Person) -> str:
    return valid_address(person.proved.get("email"))


def _proved_elsewhere(person_ids: Collection[int]) -> dict[int, str]:
    if not person_ids:
        return {}
    return {
        person_id: address
        for addresses in proved_addresses
        for person_id, value in addresses(person_ids).items()
        if (address := valid_address(value))
    }


def _undeliverable(addresses: Collection[str]) -> set[str]:
    """Return those of the addresses that no e-mail may go to."""
    if not addresses:
        return set()
    return {address for among in undeliverable_addresses for address in among(addresses)}


def _trusted_keys(key_ids: Collection[int | None]) -> set[int]:
    """Return those of these keys whose claimed addresses staff allows to be mailed."""
    claimed_with = {key_id for key_id in key_ids if key_id is not None}
    if not claimed_with:
        return set()
    keys = ProjectKey.objects.filter(pk__in=claimed_with, mail_claimed_addresses=True)
    return set(keys.filter(revoked_at__isnull=True).values_list("pk", flat=True))


def valid_address(value: Any) -> str:
    """Return an e-mail address, "" for anything else.

    Of a mailbox that can be written in many ways (quoted, at an IP address, or with characters that
    DNS drops or maps) none is accepted, nor what only looks like ASCII, such as the Kelvin sign:
    caps count by mailbox.
    """
    address = value if isinstance(value, str) else ""
    try:
        validate_email(address)
    except ValidationError:
        return ""
    local, _, domain = address.rpartition("@")
    is_plain = local.isascii() and not local.startswith('"') and not domain.startswith("[")
    return address if is_plain and has_plain_domain(address) else ""
