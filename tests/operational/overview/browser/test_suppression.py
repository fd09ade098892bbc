"""Importing suppressed addresses in a browser."""

import pytest
from playwright.sync_api import expect

from growth.models import Suppression

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [390, 1440])
def test_a_file_is_chosen_previewed_and_imported(logged_in, width, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("address\nada@example.com\nnobody\n")
    logged_in.set_viewport_size({"width": width, "height": 900})
    logged_in.goto("/admin/growth/suppressions/import/")
    logged_in.locator("#field-file").set_input_files(file)
    logged_in.get_by_role("button", name="Preview").click()
    expect(logged_in.get_by_text("1 to suppress")).to_be_visible()
    expect(logged_in.locator("#line-errors")).to_contain_text("Line 3")
    logged_in.get_by_role("button", name="Suppress 1 address").click()
    logged_in.wait_for_url("**/admin/growth/suppression/**")
    assert Suppression.objects.count() == 1
