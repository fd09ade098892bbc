"""Retry rejected events, once their problem has been fixed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from django.db import transaction
from django.db.models import F, QuerySet

from analytics.calculations.body import BadToken, open_body
from analytics.calculations.imports.columns import Columns
from analytics.calculations.imports.products import FileFormat
from analytics.calculations.imports.reading import read_row
from analytics.calculations.imports.rows import Row
from analytics.calculations.people.bounds import Refusal
from analytics.calculations.records import (
    Arrival,
    EventRecord,
    Holds,
    InvalidEvent,
    Proof,
    Reason,
    Rejection,
    TooLarge,
)
from analytics.calculations.wire import read_event
from analytics.capture import ledger, rejections, retention_period, verified_identity
from analytics.capture.ledger import LedgerLine
from analytics.forwarding import outbox
from analytics.ingestion import ingest
from analytics.ingestion.ingest import StoreResult
from analytics.ingestion.partitions import lock_and_ensure_partitions, month_of
from analytics.models import EventOutcome, ImportRun, InboxRequest, RejectedEvent
from common.postgres import raw_cursor

ROWS_PER_TRANSACTION = 100  # of at most 20 MB each

_RUN_COUNTS = {
    EventOutcome.STORED: "stored",
    EventOutcome.DUPLICATE: "duplicates",
    EventOutcome.ERASED: "erased",
}


class CannotRetry(Exception):
    """Data needed to read a row again was not stored: the text names it."""


@dataclass
class Retried:
    """The results of a retry, in events."""

    stored: int = 0
    duplicates: int = 0
    erased: int = 0  # dropped: they name an erased id
    waiting: int = 0  # in the inbox again
    rejected: Counter[str] = field(default_factory=Counter)  # again: number by reason


def retry(rows: QuerySet[RejectedEvent]) -> Retried:
    """Store the events that can be stored now, as of their arrival.

    Rows of stored events are deleted; the others stay, with their current reason. A row of several
    events becomes a row for each. The ledger and the counts of imports are updated.
    """
    retried = Retried()
    stored = rows.order_by("pk").values_list("pk", "events", "holds")
    ids = [
        row_id
        for stored_id, events, holds in list(stored)
        for row_id in (
            rejections.split(stored_id) if events > 1 and holds != Holds.REQUEST else [stored_id]
        )
    ]
    for start in range(0, len(ids), ROWS_PER_TRANSACTION):
        with transaction.atomic():
            _retry(ids[start : start + ROWS_PER_TRANSACTION], retried)
    return retried


def _retry(ids: Sequence[int], retried: Retried) -> None:
    rejected = RejectedEvent.objects.select_related("import_run").filter(pk__in=ids)
    records: list[tuple[RejectedEvent, EventRecord]] = []
    results: list[tuple[RejectedEvent, StoreResult]] = []
    for row in rejected.select_for_update(of=("self",)).order_by("pk"):
        try:
            if row.reason == Reason.FORWARDING_REFUSED:  # it is stored; send it to PostHog again
                outbox.put([bytes(row.payload)])
                row.delete()
                retried.waiting += row.events
            elif row.holds == Holds.REQUEST:
                _put_back(row)
                retried.waiting += row.events
            else:
                records.append((row, _read(row)))
        except InvalidEvent as error:
            payload, holds = bytes(row.payload), Holds(row.holds)
            again = Rejection(error.reason, error.detail, payload, holds=holds, events=row.events)
            results.append((row, again))
        except CannotRetry as error:
            retried.rejected[str(error)] += row.events
    months = {month_of(record.timestamp) for _, record in records}
    lock_and_ensure_partitions(raw_cursor(), months)  # before the locks that storing takes
    refusals: dict[bytes, Refusal] = {}
    for captured in (True, False):  # imported events are not forwarded
        group = [(row, record) for row, record in records if captured is (row.import_run is None)]
        stored = ingest.store(
            [record for _, record in group],
            forward=captured,
            refusals=refusals if captured else None,
        )
        results += [(row, result) for (row, _), result in zip(group, stored, strict=True)]
    amounts: Counter[LedgerLine] = Counter()
    for row, record in records:
        ignored = Reason.BAD_TIMESTAMP if record.ignores_timestamp else None
        if reason := refusals.get(record.uuid, ignored):
            amounts[_line(row)._replace(outcome=EventOutcome.CHANGED, reason=reason)] += 1
    for row, result in results:
        _count(row, result, amounts)
        _finish(row, result, retried)
    RejectedEvent.objects.filter(pk__in=ids).update(retry_at=None)
    ledger.add(raw_cursor(), amounts)


def _read(row: RejectedEvent) -> EventRecord:
    payload = bytes(row.payload)
    run = row.import_run
    if run is None:
        return read_event(payload, _arrival(row), position=row.position)
    if run.finished_at is None:
        raise CannotRetry("its import is not finished: run the import again first")
    proof = Proof.PROVED if run.proved else Proof.CLAIMED
    if row.holds == Holds.READ_EVENT:
        return read_event(payload, None, line=row.line, proof=proof)
    if run.columns is None:
        raise CannotRetry("the columns of its file are no longer known: import the file again")
    columns = Columns(**run.columns)
    return read_row(Row(row.line or 0, payload), FileFormat(run.file_format), columns, proof)


def _arrival(row: RejectedEvent) -> Arrival:
    if row.received_at is None or row.project_key_id is None:
        raise CannotRetry("its time of arrival or its project key is unknown: send it again")
    oldest = retention_period.oldest(row.received_at, is_claim=False)  # staff vouches for it
    (source,) = verified_identity.sources(raw_cursor(), [row.project_key_id]).values()
    return Arrival(row.received_at, row.sent_at, row.sdk, oldest, source, is_history=True)


def _put_back(row: RejectedEvent) -> None:
    """Return a whole request to the inbox, if it can be read now."""
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
    amounts = {rejected: -row.events}
    if rejected.outcome is not EventOutcome.REFUSED:  # which had not been acknowledged
        amounts[_accepted(rejected)] = -row.events  # ingest counts it again
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


def _count(row: RejectedEvent, result: StoreResult, amounts: Counter[LedgerLine]) -> None:
    """Move a row's events in the ledger, or in the counts of its import."""
    if row.import_run is not None:
        if not isinstance(result, Rejection):
            counts = {
                "rejected": F("rejected") - 1,
                _RUN_COUNTS[result]: F(_RUN_COUNTS[result]) + 1,
            }
            ImportRun.objects.filter(pk=row.import_run.pk).update(**counts)
        return
    line = _line(row)
    amounts[line] -= row.events
    if isinstance(result, Rejection):
        amounts[line._replace(reason=result.reason)] += row.events
        return
    amounts[line._replace(outcome=result, reason="")] += 1
    if line.outcome is EventOutcome.REFUSED:  # it had not been acknowledged
        amounts[_accepted(line)] += 1


def _finish(row: RejectedEvent, result: StoreResult, retried: Retried) -> None:
    """Delete the row, or update the reason why it stays."""
    if isinstance(result, Rejection):
        retried.rejected[result.detail] += row.events
        rejections.update(row, result)
    else:
        retried.stored += result is EventOutcome.STORED
        retried.duplicates += result is EventOutcome.DUPLICATE
        retried.erased += result is EventOutcome.ERASED
        row.delete()
