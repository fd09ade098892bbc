"""Who invited a person, by what their signup and their visits name (docs/referrals.md)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

CLICK_WINDOW = timedelta(days=30)  # from the click to the signup
INVITE_WINDOW = timedelta(days=30)  # from the inviter's signup, for the viral coefficient
CLOCK_SKEW = timedelta(minutes=5)  # as of activation: clocks of browsers and servers differ
LONGEST_CODE = 40
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,39}")


@dataclass(frozen=True, slots=True)
class Naming:
    """An event, or a property of the person, that names a code at a time."""

    code: str
    at: datetime
    distinct_id: str
    proved: bool


@dataclass(frozen=True, slots=True)
class Attribution:
    """The code that brought a person; `clicked_at` is the signup where no click is known.

    Without `is_named` the person's signup, if any, does not name the code. `proved_since` is set
    where it is proved who brought the person, whatever is claimed: payments from then on are those
    of a new customer.
    """

    code: str
    distinct_id: str
    clicked_at: datetime
    is_named: bool
    proved: bool
    proved_since: datetime | None = None


def normalized(code: object) -> str:
    """Return a code in the form in which it is stored; "" for what cannot be a code."""
    text = code.strip().upper() if isinstance(code, str) else ""
    return text if _CODE.fullmatch(text) else ""


def attribute(
    *,
    signup_at: datetime | None,
    signup: Naming | None,
    person: Naming | None,
    visits: Sequence[Naming],
    proved_signup: Naming | None = None,
) -> Attribution | None:
    """Return who is behind a signup, or behind the latest visit where the signup names no one.

    `signup` and `person` are what the signup event and the person's properties name;
    `proved_signup` is the first proved one, with the code "" if it names none. What is proved comes
    first, also before a claimed signup of an earlier time; what is only claimed counts if it was
    there at the signup.
    """
    before = [naming for naming in visits if signup_at is None or naming.at <= signup_at]
    before.sort(key=lambda naming: (naming.at, naming.distinct_id, naming.code))
    claimed = _named(signup_at, signup, person)
    proved = _proved(person, proved_signup)
    named = proved or claimed
    if named is None or signup_at is None:
        if not before:
            return None
        visit = before[-1]
        return Attribution(visit.code, visit.distinct_id, visit.at, False, visit.proved)
    clicks = [naming.at for naming in before if naming.code == named.code]
    return Attribution(
        code=named.code,
        distinct_id=named.distinct_id,
        clicked_at=clicks[-1] if clicks else signup_at,
        is_named=claimed is not None and claimed.code == named.code,
        proved=named.proved,
        proved_since=_new_since(proved, proved_signup, signup_at) if proved else None,
    )


def _proved(person: Naming | None, signup: Naming | None) -> Naming | None:
    if person is not None and person.proved:
        return person
    return signup if signup is not None and signup.code else None


def _new_since(proved: Naming, signup: Naming | None, signup_at: datetime) -> datetime:
    """Return the proved signup, or the signup unless a claim moved it far before the proof."""
    return signup.at if signup is not None else max(signup_at, proved.at - CLICK_WINDOW)


def _named(
    signup_at: datetime | None, signup: Naming | None, person: Naming | None
) -> Naming | None:
    if signup_at is None:
        return None
    if person is not None and person.proved:
        return person
    if signup is not None:
        return signup
    is_late = person is not None and person.at > signup_at + CLOCK_SKEW
    return None if is_late else person
