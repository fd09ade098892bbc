import pytest

from operational.calculations.catalogue import CATALOGUE
from operational.kpis import sources
from operational.kpis.sources.base import NotConnected


def test_every_kpi_has_a_source():
    unconnected = [slug for slug in CATALOGUE if isinstance(sources.source_of(slug), NotConnected)]
    assert unconnected == []


def test_a_kpi_has_one_source():
    with pytest.raises(ValueError, match="already has a source"):
        sources.merged([{"churn_rate": NotConnected("Nothing")}] * 2)


def test_a_source_is_for_a_kpi_of_the_catalogue():
    with pytest.raises(ValueError, match="not in the catalogue"):
        sources.merged([{"nonsense": NotConnected("Nothing")}])


def test_the_default_weights_add_up_to_100():
    assert sum(kpi.default_goal.weight for kpi in CATALOGUE.values()) == 100


def test_every_kpi_can_be_opened():
    for kpi in CATALOGUE.values():
        assert all([kpi.formula, kpi.window, kpi.numerator, kpi.denominator, kpi.exclusions])
