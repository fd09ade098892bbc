"""The codes of inviters, and the links with them."""

import secrets
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.db import IntegrityError, transaction

from analytics.models import DistinctId
from growth.calculations.referral import normalized
from growth.models import ReferralCode, ReferralProgram
from growth.referrals.checks import LINK_PARAMETER

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without those that look alike
_LENGTH = 8


class NoProgram(Exception):
    """There is no program, or none of that name."""


class NoPerson(Exception):
    """No person has the distinct id."""


class CodeTaken(Exception):
    """The code belongs to another person, or the person has another code."""


def program(slug: str = "") -> ReferralProgram:
    """Return the program of a name, or the oldest; raise `NoProgram`."""
    programs = ReferralProgram.objects.order_by("pk")
    match = (programs.filter(slug=slug) if slug else programs).first()
    if match is None:
        raise NoProgram(f"There is no program {slug!r}." if slug else "There is no program.")
    return match


def code_of(distinct_id: str, offer: ReferralProgram) -> ReferralCode | None:
    """Return the oldest code of a person; merged persons may have several, which all work."""
    codes = ReferralCode.objects.filter(program=offer)
    person = DistinctId.objects.filter(pk=distinct_id).values("person_id")
    return codes.filter(distinct_id__person_id__in=person).order_by("created_at", "pk").first()


def get_or_create(
    distinct_id: str, offer: ReferralProgram, *, code: str = ""
) -> tuple[ReferralCode, bool]:
    """Return a person's code and whether it is new; `code` chooses it. Raise NoPerson, CodeTaken.

    Two requests at once get the same code.
    """
    if not DistinctId.objects.filter(pk=distinct_id).exists():
        raise NoPerson(f"No person has the distinct id {distinct_id!r}.")
    existing = code_of(distinct_id, offer)
    if existing is None:
        try:
            with transaction.atomic():
                wanted = normalized(code) if code else new_code()
                return ReferralCode.objects.create(
                    code=wanted, program=offer, distinct_id_id=distinct_id
                ), True
        except IntegrityError:  # another request was faster, or the code is taken
            existing = code_of(distinct_id, offer)
    if existing is None or (code and existing.pk != normalized(code)):
        raise CodeTaken(
            f"This person already has the code {existing.pk}."
            if existing
            else "Another person has this code."
        )
    return existing, False


def new_code() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def link_of(code: ReferralCode) -> str:
    """Return the sign-up page with the code, next to the parameters that it has already."""
    url = urlsplit(code.program.signup_url)
    query = "&".join(filter(None, [url.query, urlencode({LINK_PARAMETER: code.pk})]))
    return urlunsplit(url._replace(query=query))
