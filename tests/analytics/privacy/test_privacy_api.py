"""S08: erasing and exporting by API, command and admin."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from analytics.ingestion.ingest import store
from analytics.models import ErasedId, Erasure, Event, Person
from tests.events import record

pytestmark = pytest.mark.django_db

ADA = "/api/analytics/persons/ada-lovelace"


@pytest.fixture(autouse=True)
def ada():
    properties = {"$set": {"email": "ada@example.com"}}
    store([record("signed_up", "ada-lovelace", properties=properties), record("used", "ben")])
    return Person.objects.get(distinct_ids="ada-lovelace")


@pytest.fixture
def staff():
    """A member of staff who may view, erase and export persons, with an API client."""
    user = User.objects.create_user("eve", is_staff=True)
    names = ["view_person", "erase_person", "export_person", "view_erasure"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def reader():
    user = User.objects.create_user("reader", is_staff=True)
    names = ["view_person", "change_person", "delete_person"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = APIClient()
    client.force_login(user)
    return client


def test_s08_the_api_erases_a_person_and_returns_the_receipt(staff):
    receipt = staff.delete(ADA).json()
    assert receipt["persons"] == 1
    assert receipt["removed"] == {"Events": 1, "Active days": 1, "Distinct ids": 1, "Profiles": 1}
    assert Person.objects.count() == 1
    assert "erased" in staff.get(ADA).json()["detail"]


def test_s08_a_dry_run_removes_nothing_and_counts_the_same(staff):
    preview = staff.delete(f"{ADA}?dry_run=true").json()
    assert Person.objects.count() == 2
    assert not ErasedId.objects.exists()
    assert preview == staff.delete(ADA).json()


def test_s08_the_stored_receipt_has_no_personal_data(staff):
    staff.delete(ADA)
    erasure = Erasure.objects.get()
    assert (erasure.by.username, erasure.persons, erasure.pending) == ("eve", 1, [])
    assert "ada" not in json.dumps(erasure.removed)
    assert erasure.finished_at


@pytest.mark.parametrize("path", ["", "/export"])
def test_s08_erasing_and_exporting_need_their_permissions(reader, path):
    method = reader.get if path else reader.delete
    assert method(ADA + path).status_code == 403
    assert reader.get("/admin/analytics/person/").status_code == 200
    for page in ("erase", "export"):
        pk = Person.objects.get(distinct_ids="ada-lovelace").pk
        assert reader.get(f"/admin/analytics/person/{pk}/{page}/").status_code == 403
    assert Person.objects.count() == 2


def test_s08_the_receipt_names_the_calls_to_posthog(staff, settings):
    settings.PLUMBLINE_FORWARDING, settings.POSTHOG_HOST = True, "https://eu.i.posthog.com"
    settings.POSTHOG_PROJECT_ID = "7"
    (call,) = staff.delete(ADA).json()["elsewhere"]
    assert call["call"] == (
        "DELETE https://eu.posthog.com/api/projects/7/persons/"
        "?distinct_id=ada-lovelace&delete_events=true"
    )


def test_s08_others_with_the_same_address_are_named_and_keep_it(staff):
    store([record("used", "ada-2", properties={"$set": {"email": "ADA@example.com"}})])
    assert staff.delete(ADA).json()["same_address"] == ["ada-2"]
    assert Person.objects.get(distinct_ids="ada-2").email == "ADA@example.com"


def test_s08_the_export_has_everything_of_one_person(staff):
    response = staff.get(f"{ADA}/export")
    data = json.loads(b"".join(response.streaming_content))
    assert response["Content-Disposition"].startswith("attachment")
    assert [event["event"] for event in data["events"]] == ["signed_up"]
    assert data["profile"][0]["properties"] == {"email": "ada@example.com"}
    assert data["distinct_ids"][0]["distinct_id"] == "ada-lovelace"
    assert data["active_days"] == ["2024-05-01"]
    assert "ben" not in json.dumps(data)


def test_s08_the_command_exports_to_a_file(tmp_path):
    call_command("export_person", "ada-lovelace", output=tmp_path / "ada.json")
    assert json.loads((tmp_path / "ada.json").read_bytes())["events"]


def test_s08_the_command_erases_the_persons_of_a_file(tmp_path, capsys):
    file = tmp_path / "ids.txt"
    file.write_text("ada-lovelace\n\nben\nzoe-7\n")
    call_command("erase_person", file=file, dry_run=True)
    assert Person.objects.count() == 2
    call_command("erase_person", file=file)
    assert not Person.objects.exists()
    printed = capsys.readouterr()
    assert "2  Events" in printed.out
    assert "1 id" in printed.err


def test_s08_the_command_refuses_an_unknown_id():
    with pytest.raises(CommandError, match="zoe-7"):
        call_command("erase_person", "zoe-7")


def test_s08_the_admin_previews_and_erases_a_person(staff, ada):
    page = f"/admin/analytics/person/{ada.pk}/erase/"
    assert (
        f'href="{page}"' in staff.get(f"/admin/analytics/person/{ada.pk}/change/").content.decode()
    )
    assert "Erase this person everywhere?" in staff.get(page).content.decode()
    assert Person.objects.count() == 2
    assert "What others still hold" in staff.post(page).content.decode()
    assert Person.objects.count() == 1
    receipts = staff.get("/admin/analytics/erasure/").content.decode()
    assert "Allow an erased id again" in receipts


def test_s08_staff_allows_an_erased_id_again(staff, ada, capsys):
    staff.delete(ADA)
    path = "/admin/analytics/erasure/allow/"
    assert (
        "stored again"
        in staff.post(path, {"distinct_id": "ada-lovelace"}, follow=True).content.decode()
    )
    store([record("used", "ada-lovelace")])
    assert Event.objects.filter(distinct_id="ada-lovelace").exists()
    with pytest.raises(SystemExit):
        call_command("erase_person", allow="ada-lovelace")
