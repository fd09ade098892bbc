import math
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from operational.calculations.catalogue import CATALOGUE
from operational.calculations.kpi import Goal
from operational.kpis import goals
from operational.models import KpiGoal

pytestmark = pytest.mark.django_db

D7: dict[str, Any] = {
    "kpi": "d7_retention",
    "target": 0.25,
    "weight": 20,
    "warning": 0.20,
    "critical": 0.15,
}
CHURN = {"kpi": "churn_rate", "target": 0.05, "weight": 10, "warning": 0.07, "critical": 0.10}


def refused_fields(**goal):
    with pytest.raises(ValidationError) as error:
        goals.set_goal(**goal)
    return set(error.value.message_dict)


def test_a_new_database_has_the_default_goals_at_version_1():
    assert goals.in_force() == {slug: kpi.default_goal for slug, kpi in CATALOGUE.items()}
    assert set(KpiGoal.objects.values_list("version", flat=True)) == {1}


def test_defaults_never_overwrite_goals_set_by_staff():
    KpiGoal.objects.filter(kpi="d7_retention").update(target=0.3)
    KpiGoal.objects.filter(kpi="churn_rate").delete()
    goals.create_defaults()
    assert goals.in_force()["d7_retention"].target == 0.3
    assert KpiGoal.objects.filter(kpi="churn_rate").count() == 1


def test_a_change_creates_a_new_version_and_keeps_the_old(django_user_model):
    user = django_user_model.objects.create(username="ada")
    goals.set_goal(**D7 | {"target": 0.3}, note="More ambitious", created_by=user)
    assert goals.in_force()["d7_retention"] == Goal("d7_retention", 2, 0.3, 20, 0.20, 0.15)
    assert KpiGoal.objects.get(kpi="d7_retention", version=1).target == 0.25
    row = KpiGoal.objects.get(kpi="d7_retention", version=2)
    assert (row.note, row.created_by) == ("More ambitious", user)


def test_saving_without_a_change_creates_no_version():
    assert goals.set_goal(**D7).version == 1
    assert KpiGoal.objects.filter(kpi="d7_retention").count() == 1


@pytest.mark.parametrize("target", [0, -0.1, math.nan, math.inf])
def test_a_target_must_be_above_0(target):
    assert "target" in refused_fields(**D7 | {"target": target})


def test_a_rate_cannot_have_a_target_of_25():
    assert refused_fields(**D7 | {"target": 25}) == {"target"}


def test_a_growth_target_may_exceed_100_percent():
    goal = goals.set_goal(kpi="growth_mom", target=1.5, weight=10, basis="active_users")
    assert goal.target == 1.5


def test_a_weight_must_not_be_negative():
    assert refused_fields(**D7 | {"weight": -1}) == {"weight"}


def test_a_weight_may_be_0():
    assert goals.set_goal(**D7 | {"weight": 0}).weight == 0


def test_not_every_weight_may_be_0():
    KpiGoal.objects.exclude(kpi="d7_retention").update(weight=0)
    assert refused_fields(**D7 | {"weight": 0}) == {"weight"}


@pytest.mark.parametrize(
    ("goal", "warning", "critical", "field"),
    [
        (D7, 0.25, 0.15, "warning"),
        (D7, 0.30, 0.15, "warning"),
        (D7, 0.20, 0.20, "critical"),
        (D7, None, 0.25, "critical"),
        (D7, math.nan, 0.15, "warning"),
        (CHURN, 0.05, 0.10, "warning"),
        (CHURN, 0.07, 0.06, "critical"),
        (CHURN, None, 0.04, "critical"),
    ],
)
def test_a_threshold_on_the_wrong_side_is_refused_by_field(goal, warning, critical, field):
    assert field in refused_fields(**goal | {"warning": warning, "critical": critical})


def test_thresholds_are_optional():
    goal = goals.set_goal(**D7 | {"warning": None, "critical": None})
    assert (goal.warning, goal.critical) == (None, None)


def test_growth_needs_a_valid_basis():
    assert refused_fields(kpi="growth_mom", target=0.1, weight=10, basis="likes") == {"basis"}


def test_other_kpis_have_no_basis():
    assert refused_fields(**D7 | {"basis": "signups"}) == {"basis"}
