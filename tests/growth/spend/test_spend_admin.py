"""The pages of spend: entering, uploading, the acquisition page, aliases."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from growth.models import ChannelAlias, SpendDay
from tests.growth.spend.company import line, rate, record, stored
from tests.staff import member

pytestmark = pytest.mark.django_db
ADD, PAGE = "/admin/growth/spend/add/", "/admin/growth/acquisition/"
FORM = {"channel": "Google Ads", "campaign": "", "first": "2024-06-01", "last": "2024-06-03"}
FORM |= {"amount": "1.00", "currency": "usd"}


def text(response):
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", response.content.decode()))


def upload(client, content):
    file = SimpleUploadedFile("spend.csv", content.encode())
    return client.post(ADD, {"file": file})


def confirm(client, response):
    return client.post(ADD, response.context["posted"] | {"confirmed": "1"})


def test_a_range_is_previewed_and_then_spread_over_its_days(admin_client):
    preview = admin_client.post(ADD, FORM)
    assert "Days added 3" in text(preview)
    assert not SpendDay.objects.exists()
    assert confirm(admin_client, preview).url == PAGE
    assert stored() == [(1, 33, 33), (2, 33, 33), (3, 34, 34)]
    assert set(SpendDay.objects.values_list("channel", flat=True)) == {"google"}
    assert "3 days added" in LogEntry.objects.get().change_message


def test_the_preview_shows_what_is_replaced(admin_client):
    record(line(500, "2024-06-02"))
    assert "2 Jun 2024 google – 5.00 USD 0.33 USD" in text(admin_client.post(ADD, FORM))


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"amount": "1,50"}, "amount", "must be a number such as 1234.50"),
        ({"amount": "-1"}, "amount", "must be a number"),
        ({"currency": "dollars"}, "currency", "is not supported"),
        ({"last": "2024-05-31"}, "last", "must be in order"),
        ({"last": "2025-06-30"}, "last", "at most 366 days"),
        ({"channel": "--"}, "channel", "1 to 80 characters"),
        ({"campaign": "c" * 201}, "campaign", "at most 200"),
        ({"first": "yesterday"}, "first", "valid date"),
    ],
)
def test_an_entry_that_cannot_be_stored_is_refused_at_its_field(
    admin_client, changes, field, problem
):
    response = admin_client.post(ADD, FORM | changes)
    assert problem in " ".join(response.context["entry"].errors[field])
    assert f'id="error-{field}"' in response.content.decode()


def test_a_file_is_previewed_and_then_stored(admin_client):
    preview = upload(admin_client, "channel,day,amount\ngoogle,2024-06-01,1\nx,2024-06-02,2\n")
    assert "2 lines Days added 2" in text(preview)
    assert not SpendDay.objects.exists()
    confirm(admin_client, preview)
    assert stored() == [(1, 100, 100), (2, 200, 200)]


def test_a_file_with_errors_names_the_lines_and_stores_nothing(admin_client):
    response = upload(admin_client, "channel,day,amount\ngoogle,2024-06-01,1\nx,never,2\n,,\n")
    assert "Line 3, day: “never”" in text(response)
    assert "Line 4," in text(response)
    confirmed = {"text": "channel,day,amount\nx,never,2\n", "confirmed": "1"}
    assert "Line 2, day" in text(admin_client.post(ADD, confirmed))
    assert not SpendDay.objects.exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [("", "is empty"), ("channel,day,amount\n", "has no lines"), ("a,b\n", "channel and amount")],
)
def test_a_file_without_lines_says_so(admin_client, content, problem):
    response = upload(admin_client, content)
    errors = response.context["csv"].errors
    assert problem in str(errors)


def test_held_amounts_are_announced_and_converted_on_request(admin_client):
    preview = admin_client.post(ADD, FORM | {"currency": "eur"})
    assert "No exchange rate: EUR" in text(preview)
    confirm(admin_client, preview)
    assert "can be converted now" not in text(admin_client.get(PAGE))
    rate("2")
    assert "3 held days of spend can be converted now" in text(admin_client.get(PAGE))
    assert stored()[0] == (1, 33, None)
    admin_client.post(PAGE)
    assert stored() == [(1, 33, 66), (2, 33, 66), (3, 34, 68)]


@pytest.mark.usefixtures("customers", "spent")
def test_the_acquisition_page_has_the_numbers(admin_client):
    page = text(admin_client.get(PAGE))
    assert "CAC 1,000.00 USD" in page
    assert "LTV:CAC 0.73" in page
    assert "Payback 82.54 months" in page
    assert "Unattributed – 2" in page
    assert "June 2024" in page


@pytest.mark.usefixtures("customers", "spent")
def test_the_acquisition_page_names_uncovered_days_of_a_past_day(admin_client):
    page = text(admin_client.get(PAGE, {"as_of": "2024-06-29"}))
    assert "no spend is entered for 1 day: 1 Apr 2024" in page
    assert "CAC –" in page


def test_without_spend_the_page_says_where_to_enter_it(admin_client):
    response = admin_client.get(PAGE)
    assert "No marketing spend yet" in text(response)
    assert f'href="{ADD}"' in response.content.decode()


def test_the_kpi_says_where_to_enter_spend(admin_client):
    response = admin_client.get("/admin/operational/kpis/ltv_cac/")
    assert f'id="set-up" href="{ADD}"' in response.content.decode()


def test_a_day_that_is_not_over_is_refused(admin_client):
    record(line())
    tomorrow = timezone.now().date().replace(year=timezone.now().year + 1)
    response = admin_client.get(PAGE, {"as_of": tomorrow.isoformat()})
    assert 'id="error-as_of"' in response.content.decode()


def test_a_viewer_reads_and_an_operator_enters(client):
    record(line())
    client.force_login(member("Viewer"))
    assert 'id="enter-spend"' not in client.get(PAGE).content.decode()
    assert "An operator can enter spend" in text(client.get(ADD))
    assert client.post(ADD, FORM).status_code == 403
    assert client.post(PAGE).status_code == 403
    client.force_login(member("Operator", "ben"))
    assert "Days added" in text(client.post(ADD, FORM))


def test_the_list_has_amounts_in_both_currencies_and_deletes(admin_client):
    rate("2")
    record(line(100, currency="eur"), line(50, channel="x", currency="gbp"))
    page = text(admin_client.get("/admin/growth/spendday/"))
    assert "1.00 EUR 2.00 USD" in page
    assert "0.50 GBP Held: no exchange rate" in page
    selected = {"_selected_action": SpendDay.objects.values_list("pk", flat=True)}
    action = {"action": "delete_selected", "post": "yes", **selected}
    admin_client.post("/admin/growth/spendday/", action)
    assert not SpendDay.objects.exists()


class TestAliases:
    URL = "/admin/growth/channelalias/add/"

    def test_an_alias_is_normalized_and_moves_spend(self, admin_client):
        record(line(channel="gads"))
        response = admin_client.post(self.URL, {"alias": " GAds ", "channel": "Google"})
        assert response.status_code == 302
        assert ChannelAlias.objects.filter(alias="gads", channel="google").exists()
        assert SpendDay.objects.get().channel == "google"

    def test_days_under_both_names_are_refused(self, admin_client):
        record(line(channel="gads"), line(channel="google"))
        page = text(admin_client.post(self.URL, {"alias": "gads", "channel": "google"}))
        assert "1 day of a campaign have spend" in page
        assert SpendDay.objects.filter(channel="gads").exists()

    @pytest.mark.parametrize(
        ("alias", "channel", "problem"),
        [
            ("x y", "X-Y", "two different names"),
            ("gads", "adwords", "is an alias itself"),
            ("google", "search", "is a channel with aliases"),
            ("-", "google", "two different names"),
            ("AdWords", "bing", "already exists"),
        ],
    )
    def test_aliases_do_not_chain(self, admin_client, alias, channel, problem):
        assert problem in text(admin_client.post(self.URL, {"alias": alias, "channel": channel}))


@pytest.mark.parametrize("year", ["9" * 40, "x", "-1", "٣" * 5])
def test_s12_a_year_that_no_calendar_has_is_refused(admin_client, year):
    assert admin_client.get(f"/admin/growth/spendday/?day__year={year}").status_code == 400
