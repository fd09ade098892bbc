"""GET /metrics: gauges for Prometheus, read from the database, so the same from every process."""

from collections.abc import Iterator, Mapping

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.views import APIView

from analytics.forwarding import outbox
from analytics.ingestion import inbox
from analytics.rollups import definitions
from common.calculations.health import Health
from common.read_once import reading_together
from operational.alerting.alerts import open_alerts
from operational.health import jobs
from operational.health.system_health import system_health
from operational.kpis.alignment import alignment_score
from operational.kpis.readings import read_kpis
from operational.models import Delivery
from operational.quality import data_quality


class Gauges(Collector):
    """Everything worth a graph or an alert of one's own. What is not known has no sample."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = timezone.now()
        yield from _kpis()
        waiting, since = inbox.waiting()
        yield _gauge("inbox_requests", "Acknowledged requests that wait for ingest", waiting)
        age = (now - since).total_seconds() if since else 0
        yield _gauge("inbox_age_seconds", "Age of the oldest request that waits", age)
        backlog = outbox.backlog()
        yield _gauge("forwarding_backlog_events", "Events that wait for PostHog", backlog.events)
        parts = {one.name: [*Health].index(one.health) for one in system_health(now).components}
        yield _by("component_health", "0 off, 1 ok, 2 warning, 3 critical", "component", parts)
        successes = {job: last.timestamp() for job, (_, last) in jobs.successes().items()}
        yield _by("job_last_success_timestamp_seconds", "When a job last ended", "job", successes)
        yield _gauge("jobs_missed", "Jobs that were due and not done", len(jobs.missed(now)))
        yield _gauge("alerts_firing", "Alerts that fire", open_alerts().count())
        unsent = Delivery.objects.filter(due_at__isnull=False).count()
        yield _gauge("deliveries_waiting", "Messages that wait to be sent", unsent)
        yield _gauge("data_quality_score", "0 to 100", data_quality.latest().score)


def _kpis() -> Iterator[GaugeMetricFamily]:
    as_of = definitions.last_complete_day()
    statuses = read_kpis(as_of=as_of)
    values = {one.kpi.slug: one.measurement.value for one in statuses if one.measurement.counts}
    yield _by("kpi", "Value as of the last complete day; rates as fractions", "kpi", values)
    alignment = alignment_score(as_of=as_of, statuses=statuses)
    yield _gauge("alignment_score", "0 to 100", alignment.score)
    yield _gauge("alignment_coverage", "Share of the weight that counts", alignment.coverage)


def _gauge(name: str, says: str, value: float | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"plumbline_{name}", says)
    if value is not None:
        family.add_metric([], value)
    return family


def _by(name: str, says: str, label: str, values: Mapping[str, float | None]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"plumbline_{name}", says, labels=[label])
    for key, value in values.items():
        if value is not None:
            family.add_metric([key], value)
    return family


class MetricsView(APIView):
    """The gauges, as text."""

    permission_classes = [IsAdminUser]

    @extend_schema(exclude=True)
    @reading_together()
    def get(self, _request: Request) -> HttpResponse:
        registry = CollectorRegistry(auto_describe=False)  # which would read everything twice
        registry.register(Gauges())
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
