"""Attribution by the backend: a proved property of the person names the code."""

from datetime import datetime

import msgspec
from django.conf import settings

from analytics.calculations.records import EventRecord, Proof
from analytics.ingestion import ingest
from common.keyed_uuid import keyed_uuid
from growth.models import ReferralCode


class NoCode(Exception):
    """There is no such code."""


def name_code(distinct_id: str, code: str, *, now: datetime) -> None:
    """Record that a person came with a code; the first one stays. Raise `NoCode`.

    It is stored as any event of the backend is, so that merges, erasing and rebuilding apply to it.
    """
    if not ReferralCode.objects.filter(pk=code).exists():
        raise NoCode(f"There is no code {code}.")
    changes = {"$set_once": {settings.PLUMBLINE_REFERRAL_PROPERTY: code}}
    record = EventRecord(
        uuid=keyed_uuid("referral", distinct_id, code).bytes,
        event="$set",
        distinct_id=distinct_id,
        timestamp=now,
        properties=msgspec.json.encode(changes),
        proof=Proof.PROVED,
    )
    ingest.store([record])
