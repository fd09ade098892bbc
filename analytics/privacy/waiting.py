"""Events of erased persons on their way: in the inbox, and in the outbox to PostHog."""

from typing import Any

import msgspec
import zstandard
from django.db import transaction

from analytics.ingestion import inbox, storing
from analytics.models import ForwardingBatch, InboxRequest
from analytics.privacy.data_stores import DataStore
from analytics.privacy.traces import Traces
from analytics.rollups.person_cache import PersonCache
from common.postgres import raw_cursor

_OTHER_IDS = ("$anon_distinct_id", "alias", "distinct_id")


class WaitingRequests(DataStore):
    """Requests that wait for ingest. Those that name a person are stored at once.

    Storing drops the events of erased persons and counts them, and loses no event of others.
    """

    name = "Waiting requests"
    columns = ["analytics_inboxrequest.body"]

    def count(self, traces: Traces) -> int:
        return len(self._matches(traces))

    def erase(self, traces: Traces) -> int:
        matches, cache, cursor = self._matches(traces), PersonCache(), raw_cursor()
        for request_id in matches:
            with transaction.atomic():
                if claimed := inbox.claim(cursor, [request_id]):
                    storing.store(cursor, claimed, cache)
        return len(matches)

    def _matches(self, traces: Traces) -> list[int]:
        rows = InboxRequest.objects.order_by("pk").values_list("pk", "body")
        return [
            request_id
            for request_id, body in rows.iterator(chunk_size=100)
            if traces.claims.in_payload(bytes(body))
        ]


class WaitingToForward(DataStore):
    """Events that wait to be forwarded: batches are written again without those of the persons.

    Events of others lose what names the persons by proof.
    """

    name = "Events to forward"
    columns = ["analytics_forwardingbatch.body"]

    def count(self, traces: Traces) -> int:
        rows = ForwardingBatch.objects.order_by("pk").iterator(chunk_size=100)
        return sum(_cleaned(row, traces)[1] for row in rows)

    def erase(self, traces: Traces) -> int:
        removed = 0
        for key in ForwardingBatch.objects.order_by("pk").values_list("pk", flat=True):
            with transaction.atomic():
                row = ForwardingBatch.objects.select_for_update().filter(pk=key).first()
                removed += _rewrite(row, traces) if row else 0  # else forwarded meanwhile
        return removed


def _rewrite(row: ForwardingBatch, traces: Traces) -> int:
    """Remove or clean events of a batch, and return their number."""
    kept, changed = _cleaned(row, traces)
    if not kept:
        row.delete()
    elif changed:
        row.events, row.size = len(kept), sum(map(len, kept))
        row.body = zstandard.compress(b"[" + b",".join(kept) + b"]")
        row.save()
    return changed


def _cleaned(row: ForwardingBatch, traces: Traces) -> tuple[list[bytes], int]:
    """Return the events that remain of a batch, and how many were removed or cleaned."""
    plain = zstandard.decompress(bytes(row.body))
    events = list(map(bytes, msgspec.json.decode(plain, type=list[msgspec.Raw])))
    if not traces.claims.in_payload(plain):
        return events, 0
    kept, changed = [], 0
    for event in events:
        decoded = msgspec.json.decode(event, type=dict)
        if _is_about(decoded, traces):
            changed += 1
        elif traces.mentions.in_json(decoded):
            kept.append(msgspec.json.encode(traces.mentions.cleaned_json(decoded)))
            changed += 1
        else:
            kept.append(event)
    return kept, changed


def _is_about(event: dict[str, Any], traces: Traces) -> bool:
    """Whether an event is a person's, or links another one to it."""
    properties = event.get("properties") or {}
    named = {event.get("distinct_id"), *(properties.get(name) for name in _OTHER_IDS)}
    return any(isinstance(id_, str) and id_ in traces.claims.distinct_ids for id_ in named)


STORES: list[DataStore] = [WaitingRequests(), WaitingToForward()]
