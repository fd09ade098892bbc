"""beat's scheduler: one bad row stops nothing, and missed runs are caught up once it is back.

django-celery-beat's own ends at a row that it cannot read, loads a job with a fixed hour only
around that hour, so that a night it missed is lost, and waits for its last times to come again
after the clock was ahead.
"""

import logging
import time
from datetime import timedelta
from typing import Any

from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from common.calculations.health import CLOCK_TOLERANCE
from operational.health.schedules import next_due

logger = logging.getLogger(__name__)

_LONG_AGO = timedelta(days=365)  # so that a job is due now


class Entry(ModelEntry):
    """A job and its schedule. A last run at a time that is still to come counts for nothing."""

    def __init__(self, model: PeriodicTask, app: Any = None) -> None:
        super().__init__(model, app=app)
        now = timezone.now()
        if model.last_run_at > now + CLOCK_TOLERANCE:
            self.last_run_at = model.last_run_at = now - _LONG_AGO


class Scheduler(DatabaseScheduler):
    Entry = Entry

    def __init__(self, *args: Any, **options: Any) -> None:
        self._clock_offset = _clock_offset()
        super().__init__(*args, **options)

    def enabled_models_qs(self) -> QuerySet[PeriodicTask]:
        """Return every enabled job: those whose hour has passed may have been missed."""
        jobs: QuerySet[PeriodicTask] = PeriodicTask.objects.enabled()
        return jobs

    def all_as_schedule(self) -> dict[str, ModelEntry]:
        """Return the jobs that can be scheduled; System health names the others."""
        try:
            models = self.enabled_models()
        except DatabaseError:
            if self._schedule is None:
                raise
            logger.exception("The schedules could not be read; the last ones apply")
            return dict(self._schedule)
        entries: dict[str, ModelEntry] = {}
        for model in models:
            try:
                next_due(model, timezone.now())  # raises for what can never fire
                entries[model.name] = self.Entry(model, app=self.app)
            except Exception:
                logger.exception("The schedule %s cannot be used", model.name)
        return entries

    def tick(self, *args: Any, **options: Any) -> float:
        """Run what is due; after the clock was set, compute every time again."""
        offset = _clock_offset()
        if abs(offset - self._clock_offset) > CLOCK_TOLERANCE.total_seconds():
            logger.warning("The clock was set: the schedules are read again")
            self._heap, self._initial_read, self._last_timestamp = None, True, None
        self._clock_offset = offset
        seconds: float = super().tick(*args, **options)
        return seconds


def _clock_offset() -> float:
    """Return the difference of the clock and the time since some start, in seconds.

    It is constant unless the clock is set.
    """
    return time.time() - time.monotonic()
