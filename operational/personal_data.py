"""Where operational's and Django's own tables may name persons."""

from collections.abc import Iterator, Sequence

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from analytics.privacy.data_stores import DataStore, NamingRows
from analytics.privacy.traces import Traces
from operational.models import (
    Alert,
    AlertChange,
    Delivery,
    JobRun,
    KpiGoal,
    KpiReading,
    LoginLimit,
    PriorityAction,
    QualityIgnore,
    QualityResult,
    Report,
)


class Sessions(DataStore):
    """Sessions of staff, which may hold messages that name a person."""

    name = "Sessions"
    columns = ["django_session.session_data"]

    def count(self, traces: Traces) -> int:
        return sum(1 for _ in self._matches(traces))

    def erase(self, traces: Traces) -> int:
        keys = [session.pk for session in self._matches(traces)]
        for session in Session.objects.filter(pk__in=keys):
            kept = traces.mentions.cleaned_json(session.get_decoded())
            session.session_data = SessionStore().encode(kept)
            session.save(update_fields=["session_data"])
        return len(keys)

    def _matches(self, traces: Traces) -> Iterator[Session]:
        for session in Session.objects.iterator(chunk_size=500):
            if traces.mentions.in_json(session.get_decoded()):
                yield session


NAMING_STORES: Sequence[DataStore] = [
    NamingRows(
        "Messages to staff",
        Delivery,
        texts=["subject", "text", "html", "problem"],
        jsons=["headers"],
        deleted_by=["email", "key"],
    ),
    NamingRows("Reports", Report, jsons=["content"]),
    NamingRows("Data-quality findings", QualityResult, texts=["detail"], jsons=["examples"]),
    NamingRows("Accepted findings", QualityIgnore, texts=["reason"]),
    NamingRows("Priority actions", PriorityAction, texts=["title", "detail", "notes", "reason"]),
    NamingRows("Alerts", Alert, texts=["latest", "silence_reason", "problem"], jsons=["recent"]),
    NamingRows("Changes of alerts", AlertChange, texts=["detail"]),
    NamingRows("KPI readings", KpiReading, texts=["reason"], jsons=["exclusions"]),
    NamingRows("Goals", KpiGoal, texts=["note"]),
    NamingRows("Job history", JobRun, texts=["problem"]),
    NamingRows("Admin log", LogEntry, texts=["object_repr", "change_message"]),
    NamingRows("Failed logins", LoginLimit, deleted_by=["subject"]),
    Sessions(),
]
