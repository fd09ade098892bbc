"""Stores that may hold personal data, and how erasing removes it from them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from analytics.privacy.traces import Traces
from common.postgres import LowerAscii

_MOST_NEEDLES = 300  # beyond it reading every row is quicker than searching for each
_ROWS_PER_STEP = 500


class DataStore(ABC):
    """A store that may hold personal data. `columns` are those it cleans, as table.column.

    The stores of `analytics.extension_points.person_stores` are erased within the transaction that
    erases persons; those of `naming_stores`, which name persons of others, before, in steps.
    """

    name: str
    columns: Sequence[str] = ()

    @abstractmethod
    def count(self, traces: Traces) -> int:
        """Return how many rows would be removed or cleaned."""

    @abstractmethod
    def erase(self, traces: Traces) -> int:
        """Remove or clean the rows, and return their number."""


@dataclass
class NamingRows(DataStore):
    """Rows of others that may name persons: the texts are replaced, or the rows deleted.

    A row that names a person in a column of `deleted_by` is deleted, otherwise its `texts` and
    `jsons` are cleaned.
    """

    name: str
    model: type[models.Model]
    texts: Sequence[str] = ()
    jsons: Sequence[str] = ()
    deleted_by: Sequence[str] = ()
    columns: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        self._fields = {field.name: field for field in self.model._meta.concrete_fields}
        self._read = tuple(dict.fromkeys([*self.deleted_by, *self.texts, *self.jsons]))
        table = self.model._meta.db_table
        self.columns = [f"{table}.{self._fields[name].column}" for name in self._read]

    def count(self, traces: Traces) -> int:
        return sum(1 for _ in self.matches(traces))

    def erase(self, traces: Traces) -> int:
        erased = 0
        step: list[models.Model] = []
        for row in self.matches(traces):
            step.append(row)
            if len(step) == _ROWS_PER_STEP:
                erased += self._erase(step, traces)
                step = []
        return erased + self._erase(step, traces)

    @transaction.atomic
    def _erase(self, rows: Sequence[models.Model], traces: Traces) -> int:
        if not rows:
            return 0
        deleted = [row.pk for row in rows if self.names_person(row, self.deleted_by, traces)]
        kept = [row for row in rows if row.pk not in set(deleted)]
        for row in kept:
            self.clean(row, traces)
        self.save(kept)
        self.delete(deleted)
        return len(rows)

    def save(self, rows: Sequence[models.Model]) -> None:
        """Save cleaned rows."""
        if rows:
            self._rows().bulk_update(rows, [*self.texts, *self.jsons])

    def clean(self, row: models.Model, traces: Traces) -> None:
        """Set the row's columns to what remains of them."""
        for name in self.texts:
            if text := getattr(row, name):
                longest = self._fields[name].max_length
                setattr(row, name, traces.mentions.cleaned_text(text)[:longest])
        for name in self.jsons:
            setattr(row, name, traces.mentions.cleaned_json(getattr(row, name)))

    def delete(self, keys: Sequence[Any]) -> None:
        if keys:
            self._rows().filter(pk__in=keys).delete()

    def _rows(self) -> models.QuerySet[Any]:
        return models.QuerySet(self.model)

    def candidates(self, traces: Traces) -> models.QuerySet[Any]:
        """Return rows that may name the persons."""
        rows = self._rows().order_by("pk").only("pk", *self._read)
        needles = traces.mentions.needles
        if len(needles) > _MOST_NEEDLES:
            return rows
        texts = {f"{name}_text": LowerAscii(Cast(name, TextField())) for name in self._read}
        condition = Q()
        for text in texts:
            for needle in needles:
                condition |= Q(**{f"{text}__contains": needle})
        matches: models.QuerySet[Any] = rows.alias(**texts).filter(condition)
        return matches

    def matches(self, traces: Traces) -> Iterator[models.Model]:
        """Yield the rows that name the persons."""
        if traces.mentions.needles:
            for row in self.candidates(traces).iterator(chunk_size=_ROWS_PER_STEP):
                if self.names_person(row, self._read, traces):
                    yield row

    def names_person(self, row: models.Model, names: Sequence[str], traces: Traces) -> bool:
        """Whether one of these columns of a row names a person."""
        return any(traces.mentions.in_json(getattr(row, name), name) for name in names)
