from operational.calculations.catalogue import CATALOGUE
from operational.kpis.sources import SOURCES


def test_every_kpi_has_a_source():
    assert set(SOURCES) == set(CATALOGUE)


def test_the_default_weights_add_up_to_100():
    assert sum(kpi.default_goal.weight for kpi in CATALOGUE.values()) == 100


def test_every_kpi_can_be_opened():
    for kpi in CATALOGUE.values():
        assert all([kpi.formula, kpi.window, kpi.numerator, kpi.denominator, kpi.exclusions])
