"""Which segment of the people in a KPI's number drags it down."""

from datetime import date

from django.db.models import Count, QuerySet
from django.db.models.fields.json import KeyTextTransform

from analytics.models import Person
from operational.calculations.catalogue import CATALOGUE, Kpi, KpiGroup
from operational.calculations.kpi import Better
from operational.calculations.segment import Segment, contributing_segment
from operational.kpis import sources

PROPERTIES = {
    "$initial_utm_source": "source",
    "$initial_referring_domain": "referring site",
    "$geoip_country_code": "country",
    "$os": "operating system",
    "$browser": "browser",
    "plan": "plan",
}


def lost_group(kpi: Kpi) -> KpiGroup:
    """Return the group of people who make a KPI worse."""
    return KpiGroup.MISSED if kpi.better is Better.HIGHER else KpiGroup.NUMERATOR


def worst_segment(slug: str, *, as_of: date) -> tuple[Segment, float] | None:
    """Return the segment that contributes most to a KPI's gap, and the overall share lost.

    None if the KPI has no list of people, or no segment stands out.
    """
    kpi = CATALOGUE[slug]
    group = lost_group(kpi)
    if not {group, KpiGroup.DENOMINATOR} <= kpi.people.keys() or kpi.bases:
        return None
    everyone = sources.people(slug, as_of=as_of, group=KpiGroup.DENOMINATOR)
    lost = sources.people(slug, as_of=as_of, group=group)
    size = everyone.count()
    if not size:
        return None
    overall = lost.count() / size
    segments = [
        Segment(name, value, lost_by_value.get(value, 0), persons)
        for key, name in PROPERTIES.items()
        for lost_by_value in [_by_value(lost, key)]
        for value, persons in _by_value(everyone, key).items()
    ]
    worst = contributing_segment(segments, overall=overall)
    return (worst, overall) if worst else None


def _by_value(persons: QuerySet[Person], key: str) -> dict[str, int]:
    rows = (
        persons.order_by()
        .annotate(segment=KeyTextTransform(key, "properties"))
        .values_list("segment")
        .annotate(Count("pk", distinct=True))
    )
    return {value: number for value, number in rows if value}
