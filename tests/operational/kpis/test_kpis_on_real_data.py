from datetime import date

import pytest

from operational.kpis import readings, sources
from tests import real_data

AS_OF = date(2018, 9, 1)
EVENTS = "events_se_quantum/events.jsonl.gz"

pytestmark = [real_data.needed(EVENTS), pytest.mark.django_db]


@pytest.fixture(scope="module")
def launch(django_db_setup, django_db_blocker):
    """A product launch of 13,213 events, as of the day before the data end."""
    definitions = {"PLUMBLINE_ACTIVATION_EVENT": "question_asked"}
    with real_data.imported(EVENTS, django_db_blocker, **definitions):
        yield {status.kpi.slug: status for status in readings.read_kpis(as_of=AS_OF)}


def people(slug, group):
    return sources.people(slug, as_of=AS_OF, group=group).count()


@pytest.mark.parametrize(
    "slug", ["d7_retention", "activation_rate", "d30_retention", "signup_activation"]
)
def test_a_rate_lists_as_many_people_as_it_counts(launch, slug):
    measurement = launch[slug].measurement
    assert people(slug, "numerator") == measurement.numerator
    assert people(slug, "denominator") == measurement.denominator
    assert people(slug, "missed") == measurement.denominator - measurement.numerator


def test_growth_lists_the_people_active_in_the_two_months(launch):
    measurement = launch["growth_mom"].measurement
    now, before = people("growth_mom", "numerator"), people("growth_mom", "denominator")
    assert (now - before, before) == (measurement.numerator, measurement.denominator)


def test_the_numbers_equal_those_counted_by_hand_from_the_file(launch):
    numbers = {
        slug: (status.measurement.numerator, status.measurement.denominator)
        for slug, status in launch.items()
        if status.measurement.value is not None
    }
    assert numbers == {
        "d7_retention": (5, 212),
        "activation_rate": (17, 212),
        "d30_retention": (1, 314),
        "signup_activation": (16, 219),
        "growth_mom": (316 - 491, 491),
    }
