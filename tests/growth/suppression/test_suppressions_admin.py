"""Staff search, add, lift, import and export suppressed addresses."""

import io

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from growth.calculations.mail.mail_events import SuppressionReason
from growth.models import Suppression
from growth.suppression import importing, suppressions
from tests.growth.suppression.mails import ADA, LATER, NOON, active, record, report, topic

pytestmark = pytest.mark.django_db
LIST, IMPORT = "/admin/growth/suppression/", "/admin/growth/suppressions/import/"
CSV = "email,topic,reason\nAda@example.com,,\nnothing,,\neve@example.com,other,\n,,\n"
CSV += "ann@example.com,,unsubscribed\nbob@example.com,,strange\nada@example.com,,\n"


def add(address=ADA, reason=SuppressionReason.UNSUBSCRIBED):
    suppressions.add([address], reason, source="test", at=NOON)
    return Suppression.objects.latest("pk")


def upload(client, text=CSV):
    return client.post(IMPORT, {"file": SimpleUploadedFile("list.csv", text.encode())})


@pytest.mark.parametrize(("query", "matches"), [("ADA@example.com", 1), ("ada", 0), ("example", 0)])
def test_the_list_is_searched_by_a_whole_address(admin_client, query, matches):
    add()
    add("eve@example.com")
    response = admin_client.get(LIST, {"q": query})
    assert len(response.context["cl"].result_list) == matches


def test_an_erased_address_is_found_by_its_hash(admin_client):
    add()
    suppressions.anonymize([ADA])
    response = admin_client.get(LIST, {"q": ADA})
    assert [row.address for row in response.context["cl"].result_list] == [""]


def test_staff_adds_an_address_with_a_reason(admin_client):
    tips = topic()
    form = {"address": "Eve@example.com", "topic": tips.pk, "detail": "asked by phone"}
    assert admin_client.post(LIST + "add/", form).status_code == 302
    assert admin_client.post(LIST + "add/", form).status_code == 302
    assert active() == [("eve@example.com", tips.pk, "staff")]
    assert Suppression.objects.get().detail == "asked by phone"


def test_lifting_asks_for_a_reason_and_is_logged(admin_client):
    row = add()
    page = f"/admin/growth/suppressions/{row.pk}/lift/"
    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, {"reason": " "}).status_code == 200
    assert suppressions.is_suppressed(ADA)
    assert admin_client.post(page, {"reason": "asked for it"}).status_code == 302
    row.refresh_from_db()
    assert (row.lifted_by, row.lift_reason) == ("admin", "asked for it")
    assert LogEntry.objects.filter(object_id=str(row.pk)).count() == 1
    assert not suppressions.is_suppressed(ADA)
    assert admin_client.get(page).status_code == 404
    assert b"asked for it" in admin_client.get(LIST).content


def test_an_import_shows_its_effect_and_errors_by_line_before_it_does_anything(admin_client):
    response = upload(admin_client)
    result = response.context["result"]
    assert (result.added, result.already_suppressed) == (2, 1)
    assert [error.line for error in result.errors] == [3, 4, 7]
    assert active() == []
    admin_client.post(IMPORT, {"text": response.context["text"], "confirmed": "1"})
    assert active() == [(ADA, None, "import"), ("ann@example.com", None, "unsubscribed")]


@pytest.mark.parametrize("text", ["", "name\nAda\n", "\n\n"])
def test_a_file_that_cannot_be_read_says_why(admin_client, text):
    response = upload(admin_client, text)
    assert b'role="alert"' in response.content or response.context["form"].errors
    assert active() == []


@pytest.mark.parametrize(
    "line", ["ada@example.com", "ada@example.com,subscribed", "ada@example.com,"]
)
def test_p47_an_import_lifts_nothing(line):
    add()
    add(reason=SuppressionReason.COMPLAINT)
    importing.import_rows(f"address,reason\n{line}\n".encode(), at=LATER)
    importing.import_rows(b"address\neve@example.com\n", at=LATER)
    assert {(ADA, None, "unsubscribed"), (ADA, None, "complaint")} <= set(active())


def test_what_is_exported_can_be_imported_again(admin_client):
    add()
    add("=eve@example.com", SuppressionReason.COMPLAINT)
    add("gone@example.com", SuppressionReason.ERASED)
    response = admin_client.get("/admin/growth/suppressions/export.csv")
    content = b"".join(response.streaming_content)
    assert b"'=eve@example.com" in content
    before = [row for row in active() if row[0]]
    Suppression.objects.all().delete()
    assert importing.import_rows(content, at=LATER).errors == []
    assert active() == before


def test_the_command_imports_a_file_and_can_only_say_what_it_would_do(tmp_path):
    file, out, errors = tmp_path / "list.csv", io.StringIO(), io.StringIO()
    file.write_text(CSV)
    call_command("import_suppressions", str(file), "--dry-run", stdout=out, stderr=errors)
    assert active() == []
    assert "2 addresses would be suppressed, 1 already in the list, 3 lines refused." in (
        out.getvalue()
    )
    assert "line 3: must be an address such as ada@example.com" in errors.getvalue()
    call_command("import_suppressions", str(file), stdout=out, stderr=errors)
    assert len(active()) == 2


def test_the_command_says_what_is_wrong_with_a_file(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_suppressions", str(tmp_path / "none.csv"))
    file = tmp_path / "list.csv"
    file.write_bytes(b"address\n\xff@example.com\n")
    with pytest.raises(CommandError, match="must be UTF-8"):
        call_command("import_suppressions", str(file))


def test_a_topic_that_people_left_cannot_be_deleted(admin_client):
    tips = topic()
    suppressions.add([ADA], SuppressionReason.UNSUBSCRIBED, source="test", at=NOON, topic=tips)
    admin_client.post(f"/admin/growth/mailtopic/{tips.pk}/delete/", {"post": "yes"})
    assert suppressions.is_suppressed(ADA, tips)


def test_events_are_searched_by_address_and_message_id(admin_client):
    record(report(), report(address="eve@example.com", message="m2"))
    for query, matches in {"ADA@example.com": 1, "<m2>": 1, "m": 0}.items():
        response = admin_client.get("/admin/growth/mailevent/", {"q": query})
        assert len(response.context["cl"].result_list) == matches
