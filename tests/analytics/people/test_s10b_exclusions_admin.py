"""The page that lists exclusions, with undo."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User

from analytics.ingestion.ingest import store
from analytics.models import Exclusion, ExclusionRule, Person
from analytics.people import exclusions
from tests.analytics.people.proof import person_with, prove
from tests.events import record

pytestmark = pytest.mark.django_db

PAGE = "/admin/analytics/exclusion/"
HOUR = datetime(2026, 6, 15, 12, tzinfo=UTC)


def staff_client(client, *permissions: str):
    user = User.objects.create_user("eve", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


@pytest.fixture
def operator(client):
    return staff_client(client, "view_person", "change_person")


@pytest.fixture
def people():
    """Ada and ben are excluded by claims in one hour, carl by hand in the next."""
    exclusions.save_rule(ExclusionRule(name="Ours", email_domain="example.com"))
    for name in ("ada", "ben"):
        store([record(distinct_id=name, properties={"$set": {"email": f"{name}@example.com"}})])
    Exclusion.objects.update(began_at=HOUR + timedelta(minutes=5))
    store([record(distinct_id="carl")])
    exclusions.decide([person_with("carl").pk], excluded=True, by="eve")
    Exclusion.objects.filter(cause="hand").update(began_at=HOUR + timedelta(hours=1))


def text_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def listed(client, **parameters) -> list[str]:
    rows = client.get(PAGE, parameters).context["cl"].result_list
    return [row.person.distinct_ids.get().pk for row in rows]


def post(client, action, *names, address=PAGE, **values):
    selected = Exclusion.objects.filter(person__distinct_ids__in=names)
    ids = [row.pk for row in selected]
    return client.post(address, {"action": action, "_selected_action": ids, **values}, follow=True)


def excluded() -> set[str]:
    return set(Person.objects.filter(excluded=True).values_list("distinct_ids", flat=True))


def test_s10b_the_page_says_whom_when_why_and_by_whom(operator, people):
    text = text_of(operator.get(PAGE))
    assert "ada@example.com (only claimed)" in text
    assert "Events: rule Ours" in text
    assert "15 Jun 2026" in text
    assert listed(operator) == ["carl", "ben", "ada"]


def test_s10b_the_page_marks_a_proved_value(operator):
    store([record()])
    prove("ada", email="ada@example.com")
    exclusions.save_rule(ExclusionRule(name="Ours", email_domain="example.com"), by="eve")
    text = text_of(operator.get(PAGE))
    assert "ada@example.com (proved)" in text
    assert "A changed rule: rule Ours" in text


def test_s10b_the_page_is_filtered_by_hour_cause_value_rule_and_state(operator, people):
    assert listed(operator, hour=HOUR.isoformat()) == ["ben", "ada"]
    assert listed(operator, hour=(HOUR + timedelta(hours=2)).isoformat()) == []
    assert listed(operator, cause="hand") == ["carl"]
    assert listed(operator, value="claimed", rule="Ours") == ["ben", "ada"]
    exclusions.decide([person_with("ada").pk], excluded=False)
    assert listed(operator, state="ended") == ["ada"]


@pytest.mark.parametrize(
    "hour", ["nonsense", "2026-06-15", "0001-01-01T00:00+14:00", "9999-12-31T23:30"]
)
def test_s10b_an_odd_hour_filters_nothing(operator, people, hour):
    assert operator.get(PAGE, {"hour": hour}).status_code == 200


def test_s10b_including_again_shows_a_preview_first(operator, people):
    response = post(operator, "include_again", "ada", "carl")
    text = text_of(response)
    assert "Include 2 persons again" in text
    assert "ada@example.com" in text
    assert excluded() == {"ada", "ben", "carl"}


def test_s10b_confirming_the_preview_includes_the_persons_again(operator, people):
    last = Exclusion.objects.latest("pk").pk
    text = text_of(post(operator, "include_again", "ada", "carl", confirmed=last))
    assert "2 persons included in all metrics again." in text
    assert excluded() == {"ben"}
    assert person_with("ada").excluded_by_hand is False
    assert Exclusion.objects.get(person=person_with("ada")).ended_by == "eve"


def test_s10b_all_of_an_hour_are_included_again(operator, people):
    address = f"{PAGE}?hour={HOUR:%Y-%m-%dT%H:%M}Z"
    across = {"select_across": "1", "index": "0", "address": address}
    preview = post(operator, "include_again", "ada", **across)
    last = preview.context["last"]
    assert preview.context["back"] == address
    assert preview.context["persons"] == 2
    post(operator, "include_again", "ada", confirmed=last, **across)
    assert excluded() == {"carl"}


def test_s10b_persons_excluded_since_the_preview_stay_excluded(operator, people):
    last = Exclusion.objects.get(person=person_with("ada")).pk
    across = {"select_across": "1", "index": "0", "confirmed": last}
    post(operator, "include_again", "ada", **across)
    assert excluded() == {"ben", "carl"}


def test_s10b_persons_who_are_included_already_are_not_previewed(operator, people):
    exclusions.decide([person_with("ada").pk], excluded=False)
    assert "None of the selected persons is excluded now." in text_of(
        post(operator, "include_again", "ada")
    )


def test_s10b_confirming_keeps_the_persons_excluded(operator, people):
    text = text_of(post(operator, "confirm", "ada", "ben"))
    assert "2 exclusions confirmed." in text
    assert "Excluded, confirmed by eve" in text
    assert listed(operator, state="review") == ["carl"]
    assert excluded() == {"ada", "ben", "carl"}


@pytest.mark.parametrize("action", ["include_again", "confirm"])
def test_s10b_undoing_needs_the_permission_to_change_persons(client, people, action):
    reader = staff_client(client, "view_person")
    last = Exclusion.objects.latest("pk").pk
    post(reader, action, "ada", confirmed=last)
    assert excluded() == {"ada", "ben", "carl"}
    assert not Exclusion.objects.filter(kept_at__isnull=False).exists()


def test_s10b_the_page_needs_the_permission_to_view_persons(client, people):
    assert staff_client(client, "view_exclusionrule").get(PAGE).status_code == 403


def test_the_page_says_that_nothing_was_excluded(operator):
    assert "Nothing here yet" in text_of(operator.get(PAGE))


def test_an_exclusion_opens_the_persons_page(operator, people):
    ada = Exclusion.objects.get(person=person_with("ada"))
    response = operator.get(f"{PAGE}{ada.pk}/change/")
    assert response.url == f"/admin/analytics/person/{ada.person_id}/change/"


def test_the_page_costs_the_same_for_any_number_of_persons(
    operator, people, django_assert_max_num_queries
):
    store([record(distinct_id=f"p{number}@example.com") for number in range(30)])
    with django_assert_max_num_queries(20):
        operator.get(PAGE)


def test_s10b_the_persons_page_says_when_and_by_which_value_it_was_excluded(operator, people):
    page = f"/admin/analytics/person/{person_with('ada').pk}/change/"
    assert "Since 15 Jun 2026, 12:05, by ada@example.com (only claimed)." in text_of(
        operator.get(page)
    )
