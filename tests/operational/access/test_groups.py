"""S07: ready-made groups: each may do what the one before it may, and staff may edit them."""

from itertools import pairwise

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from operational.access.groups import EXCEPTIONS, GROUPS, MODELS, create_missing

pytestmark = pytest.mark.django_db

APPS = "analytics", "billing", "growth", "operational"


def permissions(name):
    rows = Group.objects.get(name=name).permissions.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


def test_every_model_is_classified_once_and_exists():
    classified = [model for models in MODELS.values() for model in models]
    assert len(classified) == len({*classified})
    models = {model._meta.label_lower for model in apps.get_models()}
    ours = {model for model in models if model.split(".")[0] in APPS}
    assert ours <= {*classified}, "operational/access/groups.py lacks a model"
    assert {*classified} <= models


def test_each_group_may_do_more_than_the_one_before():
    for lower, higher in pairwise(GROUPS):
        assert permissions(lower) < permissions(higher)


def test_a_viewer_sees_no_personal_data_and_changes_nothing():
    viewer = permissions("Viewer")
    assert "operational.view_kpireading" in viewer
    assert all(".view_" in permission for permission in viewer)
    for model in ("person", "event", "distinctid", "rejectedevent", "inboxrequest"):
        assert f"analytics.view_{model}" not in viewer
    for model in ("stripecustomer", "stripeevent", "usagenotice"):
        assert f"billing.view_{model}" not in viewer


def test_an_analyst_also_sees_persons_and_changes_nothing():
    analyst = permissions("Analyst")
    assert {"analytics.view_person", "analytics.view_event"} <= analyst
    assert all(".view_" in permission for permission in analyst)


def test_an_operator_also_changes_but_neither_erases_nor_touches_keys_tokens_and_users():
    operator = permissions("Operator")
    assert {
        "operational.change_kpigoal",
        "billing.change_plan",
        "analytics.change_person",
    } <= operator
    assert "analytics.delete_person" not in operator
    assert "analytics.change_projectkey" not in operator
    assert not [name for name in operator if name.startswith("auth.") or "apitoken" in name]


def test_an_owner_may_do_everything():
    assert len(permissions("Owner")) == Permission.objects.count()


def test_exceptions_are_permissions():
    assert {*EXCEPTIONS} <= permissions("Owner")


def test_edited_groups_are_kept_and_missing_ones_created():
    Group.objects.get(name="Viewer").permissions.clear()
    Group.objects.get(name="Analyst").delete()
    create_missing()
    assert permissions("Viewer") == set()
    assert "analytics.view_person" in permissions("Analyst")


@pytest.mark.django_db(transaction=True)
def test_migrating_creates_them():
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert {*Group.objects.values_list("name", flat=True)} == {*GROUPS}
