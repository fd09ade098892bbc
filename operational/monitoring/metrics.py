"""GET /metrics: gauges for Prometheus, read from the database, so the same in every process."""

from collections.abc import Iterator, Mapping

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from rest_framework.request import Request

from analytics.forwarding import outbox
from analytics.ingestion import inbox
from analytics.rollups import definitions
from common.api.access import STAFF_ONLY
from common.api.endpoint import Endpoint
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
    """Everything worth a graph or an alert in Prometheus. Unknown values have no sample."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = timezone.now()
        yield from _kpis()
        waiting, since = inbox.waiting()
        yield _gauge("inbox_requests", "Acknowledged requests waiting for ingest", waiting)
        age = (now - since).total_seconds() if since else 0
        yield _gauge("inbox_age_seconds", "Age of the oldest waiting request", age)
        backlog = outbox.backlog()
        yield _gauge("forwarding_backlog_events", "Events waiting for PostHog", backlog.events)
        levels = {
            component.name: [*Health].index(component.health)
            for component in system_health(now).components
        }
        yield _by("component_health", "0 off, 1 ok, 2 warning, 3 critical", "component", levels)
        successes = {job: last.timestamp() for job, (_, last) in jobs.successes(now).items()}
        yield _by("job_last_success_timestamp_seconds", "Last successful run", "job", successes)
        yield _gauge("jobs_missed", "Jobs that are overdue", len(jobs.missed(now)))
        yield _gauge("alerts_firing", "Firing alerts", open_alerts().count())
        unsent = Delivery.objects.filter(due_at__isnull=False).count()
        yield _gauge("deliveries_waiting", "Messages waiting to be sent", unsent)
        yield _gauge("data_quality_score", "0 to 100", data_quality.latest().score)


def _kpis() -> Iterator[GaugeMetricFamily]:
    as_of = definitions.last_complete_day()
    statuses = read_kpis(as_of=as_of)
    values = {
        status.kpi.slug: status.measurement.value
        for status in statuses
        if status.measurement.counts
    }
    yield _by("kpi", "Value as of the last complete day; rates as fractions", "kpi", values)
    alignment = alignment_score(as_of=as_of, statuses=statuses)
    yield _gauge("alignment_score", "0 to 100", alignment.score)
    yield _gauge("alignment_coverage", "Share of the weight that counts", alignment.coverage)


def _gauge(name: str, description: str, value: float | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"plumbline_{name}", description)
    if value is not None:
        family.add_metric([], value)
    return family


def _by(
    name: str, description: str, label: str, values: Mapping[str, float | None]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"plumbline_{name}", description, labels=[label])
    for key, value in values.items():
        if value is not None:
            family.add_metric([key], value)
    return family


class MetricsView(Endpoint):
    """The gauges, as text."""

    permission_classes = STAFF_ONLY
    required_permission = "operational.view_kpireading"

    @extend_schema(exclude=True)
    @reading_together()
    def get(self, _request: Request) -> HttpResponse:
        registry = CollectorRegistry(auto_describe=False)  # describing would read everything twice
        registry.register(Gauges())
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
