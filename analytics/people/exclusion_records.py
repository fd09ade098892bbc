"""The record of exclusions: who was excluded, when, why, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from analytics.models import Exclusion

KEPT_FOR = timedelta(days=400)  # after their end; those in force stay


@dataclass(frozen=True, slots=True)
class Origin:
    """What changes exclusions, and the staff user behind it, if any."""

    cause: Exclusion.Cause
    by: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A person whose `excluded` becomes `target`, and the first rule that matches them."""

    person_id: int
    excluded: bool
    target: bool
    by_hand: bool | None
    match: dict[str, str] | None
    is_protected: bool

    @property
    def is_flip(self) -> bool:
        return self.excluded != self.target

    def exclusion(self, origin: Origin) -> Exclusion:
        match = self.match if self.by_hand is None else None
        return Exclusion(
            person_id=self.person_id,
            cause=origin.cause,
            by=origin.by,
            proved=self.is_protected if match else None,
            **(match or {}),
        )


def record(changes: Sequence[Change], origin: Origin) -> None:
    """Record the exclusions that begin, and end those of persons who are included again."""
    included = [change.person_id for change in changes if not change.target]
    if included:
        ending = in_force().filter(person__in=included)
        ending.update(ended_at=Now(), ended_by=origin.by)
    Exclusion.objects.bulk_create([change.exclusion(origin) for change in changes if change.target])


def in_force() -> QuerySet[Exclusion]:
    """Return the exclusions that have not ended: one of each excluded person."""
    return Exclusion.objects.filter(ended_at=None)


def keep(exclusions: QuerySet[Exclusion], *, by: str, now: datetime) -> int:
    """Confirm that exclusions are right, so that they raise no alert; return their number."""
    return exclusions.filter(ended_at=None, kept_at=None).update(kept_at=now, kept_by=by)


def delete_old(now: datetime) -> None:
    """Delete exclusions that ended long ago."""
    Exclusion.objects.filter(ended_at__lt=now - KEPT_FOR).delete()
