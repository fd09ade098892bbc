"""Derive who came with whose code, from persons' events and properties: each change once.

A transaction that changes events or identities notes the persons (`checks`); `update` derives the
referrals of those, and of persons whose signup is not the one that was read. `rebuild` derives all.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import replace

import psycopg
from django.db import transaction
from django.db.models import F, Q

from analytics.models import Person
from common.locks import Lock, lock_shared, try_session_lock
from common.postgres import raw_cursor
from growth.calculations.referral import Attribution, Naming, attribute
from growth.models import Referral, ReferralCheck, ReferralCode
from growth.referrals import checks, invitations, namings

BATCH = 500
_JOINED = "growth_referral", "growth_referralcode", "analytics_distinctid", "analytics_person"
_CANDIDATES = f"""
    SELECT DISTINCT person_id FROM analytics_event WHERE {namings.NAMES_A_CODE}
    UNION SELECT id FROM analytics_person WHERE properties ?| %(names)s::text[]
    UNION SELECT person_id FROM growth_referral JOIN analytics_distinctid USING (distinct_id)
"""


def update(*, batch: int = BATCH) -> int:
    """Derive what has changed, and return the number of persons; 0 while another process does."""
    with try_session_lock("referrals") as acquired:
        if not acquired:
            return 0
        _note_changed_signups()
        done = 0
        while taken := _update_batch(batch):
            done += taken
        return done


def rebuild() -> int:
    """Derive the referrals of everyone, and return the number of persons that were read."""
    with transaction.atomic():
        cursor = raw_cursor()
        cursor.execute(
            f"INSERT INTO growth_referralcheck (person_id) {_CANDIDATES}", namings.parameters()
        )
    return update_many()


def update_many() -> int:
    """Derive what has changed where that is much, such as after an import.

    PostgreSQL would plan the joins of the new rows by the statistics of the tables before them.
    """
    done = update()
    raw_cursor().execute(f"ANALYZE {', '.join(_JOINED)}")
    return done


def _note_changed_signups() -> None:
    """Note persons whose signup is not the one that was read: it came late, or from a merge."""
    changed = Referral.objects.exclude(
        Q(signed_up_at=F("distinct_id__person__signup_at"))
        | Q(signed_up_at=None, distinct_id__person__signup_at=None)
    )
    with transaction.atomic():
        persons = set(changed.values_list("distinct_id__person_id", flat=True))
        checks.note_persons(raw_cursor(), persons)


@transaction.atomic
def _update_batch(batch: int) -> int:
    noted = ReferralCheck.objects.order_by("pk").select_for_update(skip_locked=True)[:batch]
    rows = dict(noted.values_list("pk", "person_id"))
    if not rows:
        return 0
    cursor = raw_cursor()
    lock_shared(cursor, Lock.IDENTITY)  # persons are not merged or split meanwhile
    _derive(cursor, sorted(set(rows.values())))
    ReferralCheck.objects.filter(pk__in=rows).delete()
    return len(rows)


def _derive(cursor: psycopg.Cursor, person_ids: Collection[int]) -> None:
    persons = Person.objects.in_bulk(person_ids)
    derived = {
        person_id: attribution
        for person_id, attribution in _attributions(cursor, persons)
        if attribution is not None
    }
    lock_shared(cursor, Lock.ROLLUPS)  # what invitations follow from does not change meanwhile
    Referral.objects.filter(distinct_id__person_id__in=person_ids).delete()
    Referral.objects.bulk_create(
        Referral(
            distinct_id_id=attribution.distinct_id,
            code_id=attribution.code,
            clicked_at=attribution.clicked_at,
            signed_up_at=persons[person_id].signup_at,
            is_named=attribution.is_named,
            proved=attribution.proved,
            proved_since=attribution.proved_since,
        )
        for person_id, attribution in derived.items()
    )
    invitations.update(cursor, person_ids)


def _attributions(
    cursor: psycopg.Cursor, persons: dict[int, Person]
) -> Iterator[tuple[int, Attribution | None]]:
    visits: dict[int, list[Naming]] = defaultdict(list)
    signups: dict[int, list[Naming]] = defaultdict(list)
    proved_signups: dict[int, Naming] = {}
    rows = namings.of_events(cursor, persons)
    stored = {person_id: namings.of_person(person) for person_id, person in persons.items()}
    codes = {naming.code for _, naming, *_ in rows}
    codes |= {naming.code for naming in stored.values() if naming}
    existing = set(ReferralCode.objects.filter(pk__in=codes).values_list("pk", flat=True))
    for person_id, naming, is_signup, is_first_proved in rows:
        if is_first_proved:
            named = naming if naming.code in existing else replace(naming, code="")
            proved_signups[person_id] = named
        elif naming.code in existing:
            (signups if is_signup else visits)[person_id].append(naming)
    for person_id, person in persons.items():
        own = stored[person_id]
        yield (
            person_id,
            attribute(
                signup_at=person.signup_at,
                signup=min(signups[person_id], key=namings.order, default=None),
                person=own if own and own.code in existing else None,
                visits=visits[person_id],
                proved_signup=proved_signups.get(person_id),
            ),
        )
