"""Persons are merged and excluded after a preview."""

import re

import pytest
from playwright.sync_api import expect

from analytics.ingestion.ingest import store
from analytics.models import Person
from tests.events import record
from tests.operational.overview.browser.addresses import PERSONS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def two_people():
    """Ada, and an anonymous person who is Ada's laptop."""
    store(
        [
            record("signed_up", "ada", properties={"$set": {"name": "Ada", "plan": "pro"}}),
            record("used", "laptop", properties={"$set": {"plan": "free", "browser": "Firefox"}}),
        ]
    )


def test_two_persons_are_merged_after_a_preview_and_the_merge_is_undone(logged_in, two_people):
    logged_in.goto(f"{PERSONS}?q=ada")
    logged_in.get_by_role("link", name=re.compile("^person")).click()
    logged_in.get_by_label("Merge another person into this one").fill("laptop")
    logged_in.get_by_role("button", name="Preview merge").click()
    expect(logged_in.get_by_role("heading", name="Merge these two persons?")).to_be_visible()
    expect(logged_in.get_by_role("row", name="plan pro free")).to_be_visible()
    logged_in.get_by_role("button", name="Merge persons").click()
    expect(logged_in.get_by_text("“laptop” was merged into this person.")).to_be_visible()
    expect(logged_in.locator("code", has_text="laptop")).to_be_visible()
    logged_in.get_by_role("link", name="Undo… the merge of laptop").click()
    expect(logged_in.get_by_role("heading", name="Preview of undoing this merge")).to_be_visible()
    logged_in.get_by_role("button", name="Undo this merge").click()
    expect(logged_in.get_by_text("“laptop” is a separate person again.")).to_be_visible()
    assert Person.objects.count() == 2


def test_persons_are_excluded_by_a_rule_after_a_preview(logged_in, two_people):
    logged_in.goto("/admin/analytics/exclusionrule/add/")
    logged_in.get_by_label("Name", exact=False).first.fill("Free plan")
    logged_in.get_by_label("Property name").fill("plan")
    logged_in.get_by_label("Property value").fill("free")
    logged_in.get_by_role("button", name="Save").click()
    expect(logged_in.get_by_text("1 of the 2 included persons")).to_be_visible()
    logged_in.get_by_role("button", name="Save rule").click()
    expect(logged_in.get_by_text("1 person excluded from all metrics.")).to_be_visible()
    logged_in.get_by_role("link", name="Show matching persons").click()
    expect(logged_in.get_by_role("cell", name="Excluded by a rule")).to_be_visible()
