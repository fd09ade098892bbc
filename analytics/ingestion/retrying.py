"""Try rejected events again, once what was wrong with them is mended."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from django.db import transaction
from django.db.models import F, QuerySet

from analytics.calculations.body import BadToken, open_body
from analytics.calculations.records import (
    Arrival,
    EventRecord,
    Holds,
    InvalidEvent,
    Reason,
    Rejection,
    TooLarge,
)
from analytics.calculations.wire import read_event
from analytics.capture import ledger, rejections, retention_period
from analytics.capture.ledger import LedgerLine
from analytics.forwarding import outbox
from analytics.ingestion import importing, ingest
from analytics.ingestion.ingest import StoreResult
from analytics.models import EventOutcome, ImportRun, InboxRequest, RejectedEvent
from common.postgres import raw_cursor

ROWS_PER_TRANSACTION = 100  # of at most 20 MB each

_RUN_COUNTS = {EventOutcome.STORED: "stored", EventOutcome.DUPLICATE: "duplicates"}


class NotKnown(Exception):
    """What it takes to read a row again was not kept: the text says what."""


@dataclass
class Tried:
    """What became of rejected events that were tried again, in events."""

    stored: int = 0
    duplicates: int = 0
    waiting: int = 0  # in the inbox again
    rejected: Counter[str] = field(default_factory=Counter)  # again: why, how often


def try_again(rows: QuerySet[RejectedEvent]) -> Tried:
    """Store the events that can be stored now, as if they had been so at their arrival.

    Rows of what is stored go; the others stay, with the reason that they have now. The ledger and
    the counts of imports follow.
    """
    tried = Tried()
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), ROWS_PER_TRANSACTION):
        with transaction.atomic():
            _try(ids[start : start + ROWS_PER_TRANSACTION], tried)
    return tried


def _try(ids: Sequence[int], tried: Tried) -> None:
    known = RejectedEvent.objects.select_related("import_run").filter(pk__in=ids)
    records: list[tuple[RejectedEvent, EventRecord]] = []
    results: list[tuple[RejectedEvent, StoreResult]] = []
    for row in known.select_for_update(of=("self",)).order_by("pk"):
        try:
            if row.reason == Reason.FORWARDING_REFUSED:  # it is stored; PostHog is asked again
                outbox.put([bytes(row.payload)])
                row.delete()
                tried.waiting += row.events
            elif row.holds == Holds.REQUEST:
                _put_back(row)
                tried.waiting += row.events
            else:
                records.append((row, _read(row)))
        except InvalidEvent as error:
            payload, holds = bytes(row.payload), Holds(row.holds)
            again = Rejection(error.reason, error.detail, payload, holds=holds, events=row.events)
            results.append((row, again))
        except NotKnown as error:
            tried.rejected[str(error)] += row.events
    for captured in (True, False):  # what was imported is not forwarded
        some = [(row, record) for row, record in records if captured is (row.import_run is None)]
        stored = ingest.store([record for _, record in some], forward=captured)
        results += [(row, fate) for (row, _), fate in zip(some, stored, strict=True)]
    amounts: Counter[LedgerLine] = Counter()
    for row, fate in results:
        _follow(row, fate, amounts)
        _settle(row, fate, tried)
    ledger.add(raw_cursor(), amounts)


def _read(row: RejectedEvent) -> EventRecord:
    payload = bytes(row.payload)
    run = row.import_run
    if run is None:
        return read_event(payload, _arrival(row), position=row.position)
    if run.finished_at is None:
        raise NotKnown("its import has not finished: run it again first")
    if row.holds == Holds.READ_EVENT:
        return read_event(payload, None, line=row.line)
    if run.columns is None:
        raise NotKnown("the columns of its file are not known any more: import the file again")
    file_format = cast("importing.Format", run.file_format)
    columns = importing.Columns(**run.columns)
    return importing.read_line(row.line or 0, payload, file_format, columns)


def _arrival(row: RejectedEvent) -> Arrival:
    if row.received_at is None or row.project_key_id is None:
        raise NotKnown("when and with which key it arrived is not known: send it again")
    oldest = retention_period.oldest(row.received_at)
    return Arrival(row.received_at, row.sent_at, row.sdk, oldest)


def _put_back(row: RejectedEvent) -> None:
    """Let a whole request wait in the inbox again, if it can be read now."""
    arrival, rejected = _arrival(row), _line(row)
    payload = bytes(row.payload)
    try:
        envelope = open_body(payload)
    except (TooLarge, BadToken) as error:
        raise InvalidEvent(Reason.MALFORMED, str(error)) from error
    InboxRequest.objects.create(
        project_key_id=rejected.project_key_id,
        received_at=arrival.received_at,
        body=payload,
        events=row.events,
        size=envelope.size,
        sent_at=arrival.sent_at,
        sdk=arrival.sdk,
    )
    amounts = {rejected: -row.events, _accepted(rejected): -row.events}  # ingest counts it anew
    ledger.add(raw_cursor(), amounts)
    row.delete()


def _line(row: RejectedEvent) -> LedgerLine:
    """Return the ledger line that counts a captured row."""
    arrival, key = _arrival(row), cast("int", row.project_key_id)
    return LedgerLine(
        ledger.start_of_hour(arrival.received_at), key, EventOutcome(row.outcome), row.reason
    )


def _accepted(line: LedgerLine) -> LedgerLine:
    return line._replace(outcome=EventOutcome.ACCEPTED, reason="")


def _follow(row: RejectedEvent, fate: StoreResult, amounts: Counter[LedgerLine]) -> None:
    """Let the ledger, or the import's counts, follow what became of a row."""
    if row.import_run is not None:
        if not isinstance(fate, Rejection):
            counts = {"rejected": F("rejected") - 1, _RUN_COUNTS[fate]: F(_RUN_COUNTS[fate]) + 1}
            ImportRun.objects.filter(pk=row.import_run.pk).update(**counts)
        return
    line = _line(row)
    amounts[line] -= row.events
    if isinstance(fate, Rejection):
        amounts[line._replace(reason=fate.reason)] += row.events
        return
    amounts[line._replace(outcome=fate, reason="")] += 1
    if line.outcome is EventOutcome.REFUSED:  # nobody had acknowledged it yet
        amounts[_accepted(line)] += 1


def _settle(row: RejectedEvent, fate: StoreResult, tried: Tried) -> None:
    """Remove the row, or say why it stays."""
    if isinstance(fate, Rejection):
        tried.rejected[fate.detail] += row.events
        rejections.update(row, fate)
    else:
        tried.stored += fate is EventOutcome.STORED
        tried.duplicates += fate is EventOutcome.DUPLICATE
        row.delete()
