"""Persons, merges, exclusion rules and customer groups in the admin."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User

from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import ExclusionRule, Group, Person, PersonMerge
from analytics.people import exclusions
from tests.events import NOON, record

pytestmark = pytest.mark.django_db

PERSONS = "/admin/analytics/person/"
MERGES = "/admin/analytics/personmerge/"
RULES = "/admin/analytics/exclusionrule/"
GROUPS = "/admin/analytics/group/"
RULE = {"name": "Our own", "email_domain": "example.com", "property_name": "", "property_value": ""}


@pytest.fixture
def admin(client, db):
    client.force_login(User.objects.create_superuser("eve"))
    return client


@pytest.fixture
def reader(client, db):
    """Staff who may look at persons and merges, and no more."""
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_person", "view_personmerge"])
    )
    client.force_login(user)
    return client


@pytest.fixture
def two_people():
    store(
        [
            record("signed_up", properties={"$set": {"email": "ada@example.com", "plan": "pro"}}),
            record(distinct_id="anon", properties={"$set": {"plan": "free", "browser": "Firefox"}}),
        ]
    )


def person_with(distinct_id):
    return Person.objects.get(distinct_ids__distinct_id=distinct_id)


def page(client, path, *, post=None, **parameters):
    """Return the text of an answer that must be 200, after redirects."""
    if post is None:
        response = client.get(path, parameters, follow=True)
    else:
        response = client.post(path, post, follow=True)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def address_of(distinct_id, name="change"):
    return f"{PERSONS}{person_with(distinct_id).pk}/{name}/"


class TestList:
    def listed(self, client, **parameters):
        rows = client.get(PERSONS, parameters).context["cl"].result_list
        return sorted(str(id_) for person in rows for id_ in person.distinct_ids.all())

    @pytest.fixture(autouse=True)
    def people(self, two_people):
        store([record(distinct_id="no-profile", profile=False)])

    def test_persons_without_a_profile_are_not_listed(self, admin):
        assert self.listed(admin) == ["ada", "anon"]
        assert self.listed(admin, profile="without") == ["no-profile"]
        assert self.listed(admin, profile="any") == ["ada", "anon", "no-profile"]

    def test_a_search_finds_persons_without_a_profile(self, admin):
        assert self.listed(admin, q="no-pro") == ["no-profile"]

    @pytest.mark.parametrize("search", ["ada@example.com", "ADA@Example.com", "ada"])
    def test_a_search_finds_a_person_by_address_in_any_case_and_by_distinct_id(self, admin, search):
        assert self.listed(admin, q=search) == ["ada"]

    def test_the_list_is_filtered_by_exclusion_and_by_rule(self, admin):
        exclusions.decide([person_with("anon").pk], excluded=True)
        exclusions.save_rule(ExclusionRule(name="Our own", email_domain="example.com"))
        rule = ExclusionRule.objects.get().pk
        assert self.listed(admin, exclusion="hand") == ["anon"]
        assert self.listed(admin, exclusion="rule") == self.listed(admin, rule=rule) == ["ada"]
        assert self.listed(admin, exclusion="any") == ["ada", "anon"]

    def test_selected_persons_are_excluded_and_included_again(self, admin):
        chosen = {"_selected_action": [person_with("ada").pk, person_with("anon").pk]}
        text = page(admin, PERSONS, post={"action": "exclude_selected", **chosen})
        assert "2 persons excluded from all metrics." in text
        assert Person.objects.counted().count() == 0
        text = page(admin, PERSONS, post={"action": "include_selected", **chosen})
        assert "2 persons included in all metrics again." in text
        assert Person.objects.counted().count() == 2


class TestPage:
    def test_the_page_has_identity_metrics_and_merges(self, admin, two_people):
        text = page(admin, address_of("ada"))
        assert "No: anonymous" in text
        assert "Included in all metrics." in text
        assert "No merges, and no refused merges." in text

    def test_a_long_history_is_paged(self, admin, two_people):
        store([record(timestamp=NOON + timedelta(days=day)) for day in range(60)])
        assert 'rel="next"' in page(admin, address_of("ada"))

    def test_the_page_has_the_groups_in_events(self, admin):
        store(
            [
                record("$groupidentify", properties={"$group_type": "team", "$group_key": "a"}),
                record(properties={"$groups": {"team": "a", "plan": 7}}),
                record(properties={"$groups": "nonsense"}),
            ]
        )
        text = page(admin, address_of("ada"))
        assert f'team <a href="{GROUPS}{Group.objects.get().pk}/change/">a</a>' in text
        assert "plan 7" in text

    def test_the_page_says_that_there_is_no_profile(self, admin):
        store([record(profile=False)])
        assert "Your product sends their events without a profile" in page(admin, address_of("ada"))

    def test_excluding_by_hand_names_the_user_and_can_be_reversed(self, admin, two_people):
        text = page(admin, address_of("ada", "exclusion"), post={"excluded": "true"})
        assert "1 person excluded" in text
        assert "Excluded by hand, by eve on" in text
        assert person_with("ada").excluded
        page(admin, address_of("ada", "exclusion"), post={"excluded": "false"})
        assert not person_with("ada").excluded

    def test_the_page_names_the_rule_that_excludes(self, admin, two_people):
        exclusions.save_rule(ExclusionRule(name="Our own", email_domain="example.com"))
        assert "Matched by the rule <a" in page(admin, address_of("ada"))
        text = page(admin, address_of("ada", "exclusion"), post={"excluded": "false"})
        assert "Included by hand, by eve on" in text
        assert "Although matched by the rule <a" in text

    def test_a_merged_person_redirects_to_the_kept_person(self, admin, two_people):
        address = address_of("anon")
        store([record("$identify", "ada", other_id="anon")])
        text = page(admin, address)
        assert "was merged into this one" in text
        assert "<code>ada</code> <code>anon</code>" in text

    def test_a_reader_can_neither_exclude_nor_merge(self, reader, two_people):
        text = page(reader, address_of("ada"))
        assert "Exclude as test" not in text
        assert "Preview merge" not in text
        for response in (
            reader.post(address_of("ada", "exclusion"), {"excluded": "true"}),
            reader.get(address_of("ada", "merge"), {"distinct_id": "anon"}),
            reader.post(
                address_of("ada", "merge"), {"distinct_id": "anon", "other": person_with("anon").pk}
            ),
        ):
            assert response.status_code == 403
        reader.post(
            PERSONS, {"action": "exclude_selected", "_selected_action": [person_with("ada").pk]}
        )
        assert (Person.objects.counted().count(), PersonMerge.objects.count()) == (2, 0)


class TestMerge:
    def test_a_merge_is_previewed_then_done_then_undone(self, admin, two_people):
        text = page(admin, address_of("ada", "merge"), distinct_id=" anon ")
        assert "1 active day; 1 of them shared by both" in text
        assert "<td>pro</td><td><del>free</del></td>" in text
        assert Person.objects.count() == 2
        confirmed = {"distinct_id": "anon", "other": person_with("anon").pk}
        text = page(admin, address_of("ada", "merge"), post=confirmed)
        assert "“anon” was merged into this person." in text
        line = PersonMerge.objects.get()
        assert (line.cause, f"{MERGES}{line.pk}/change/" in text) == ("admin: eve", True)
        assert "1 event with this id" in page(admin, f"{MERGES}{line.pk}/change/")
        text = page(admin, f"{MERGES}{line.pk}/change/", post={"confirmed": "1"})
        assert "“anon” is a separate person again." in text
        assert Person.objects.count() == 2

    def test_an_impossible_merge_says_why_next_to_the_field(self, admin, two_people):
        text = page(admin, address_of("ada", "merge"), distinct_id="unknown")
        assert 'id="error-distinct_id" role="alert">No person has the distinct id' in text
        assert 'value="unknown"' in text

    def test_an_outdated_preview_is_not_merged(self, admin, two_people):
        text = page(admin, address_of("ada", "merge"), post={"distinct_id": "anon", "other": "1"})
        assert "Check the preview again" in text
        assert Person.objects.count() == 2

    @pytest.mark.parametrize("other", ["", "x", "9" * 30])
    def test_nonsense_in_a_hidden_field_merges_no_persons(self, admin, two_people, other):
        page(admin, address_of("ada", "merge"), post={"distinct_id": "anon", "other": other})
        assert Person.objects.count() == 2

    def test_a_preview_warns_of_two_identified_persons(self, admin, two_people):
        store([record("$identify"), record("$identify", "anon")])
        assert "Both are identified" in page(admin, address_of("ada", "merge"), distinct_id="anon")


class TestJournal:
    @pytest.fixture(autouse=True)
    def refused(self, two_people):
        store([record("$identify", "anon"), record("$identify", "ada", other_id="anon")])

    def test_p05_a_refused_merge_is_visible_with_its_reason(self, admin):
        assert "Refused: already identified" in page(admin, MERGES)
        assert "Refused: already identified" in page(admin, address_of("anon"))
        text = page(admin, f"{MERGES}{PersonMerge.objects.get().pk}/change/")
        assert "your product identified two different people" in text
        assert "Undo this merge" not in text

    def test_p05_a_merge_by_a_placeholder_is_visible_with_its_reason(self, admin):
        store([record("$identify", "ada", other_id="anonymous")])
        line = PersonMerge.objects.get(result="illegal_distinct_id")
        assert "a placeholder" in page(admin, f"{MERGES}{line.pk}/change/")
        assert "Refused: the id is a placeholder" in page(admin, MERGES, result=line.result)

    @pytest.mark.parametrize(("search", "matches"), [("ad", 1), ("ada@example.com", 1), ("x", 0)])
    def test_the_journal_is_searched_by_person(self, admin, search, matches):
        response = admin.get(MERGES, {"q": search})
        assert response.context["cl"].result_count == matches

    def test_the_page_says_which_merge_to_undo_first(self, admin):
        store(
            [
                record("$merge_dangerously", "ada", other_id="anon", proof=Proof.PROVED),
                record(distinct_id="ben"),
            ]
        )
        store([record("$merge_dangerously", "ben", other_id="ada", proof=Proof.PROVED)])
        first, second = PersonMerge.objects.filter(result="merged").order_by("pk")
        text = page(admin, f"{MERGES}{first.pk}/change/", post={})
        assert "It cannot be undone now." in text
        assert f'href="{MERGES}{second.pk}/change/">Open that merge' in text

    def test_a_reader_cannot_undo(self, reader):
        store([record("$merge_dangerously", "ada", other_id="anon", proof=Proof.PROVED)])
        line = PersonMerge.objects.get(result="merged")
        assert "Undo this merge" not in page(reader, f"{MERGES}{line.pk}/change/")
        assert reader.post(f"{MERGES}{line.pk}/change/").status_code == 403


class TestRule:
    def test_a_rule_is_previewed_then_saved_then_deleted(self, admin, two_people):
        text = page(admin, f"{RULES}add/", post=RULE)
        assert "It matches <strong>1 person</strong>" in text
        assert "1 of the 2 included persons" in text
        assert not ExclusionRule.objects.exists()
        assert "1 person excluded" in page(admin, f"{RULES}add/", post=RULE | {"confirmed": "1"})
        assert person_with("ada").excluded
        rule = ExclusionRule.objects.get()
        assert "e-mail addresses at example.com" in page(admin, RULES)
        text = page(admin, f"{RULES}{rule.pk}/delete/", post={"post": "yes"})
        assert "1 person included" in text
        assert not person_with("ada").excluded

    def test_the_preview_of_a_changed_rule_counts_persons_included_again(self, admin, two_people):
        exclusions.save_rule(ExclusionRule(name="Our own", email_domain="example.com"))
        address = f"{RULES}{ExclusionRule.objects.get().pk}/change/"
        changed = RULE | {"email_domain": "", "property_name": "plan", "property_value": "free"}
        text = page(admin, address, post=changed)
        assert "1 excluded person will be included again" in text
        page(admin, address, post=changed | {"confirmed": "1"})
        assert (person_with("ada").excluded, person_with("anon").excluded) == (False, True)

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"email_domain": ""}, "Enter either an e-mail domain"),
            ({"property_name": "plan", "property_value": "x"}, "Enter either an e-mail domain"),
            ({"property_value": "x"}, "Enter either an e-mail domain"),
            ({"email_domain": "", "property_name": "plan"}, "Enter either an e-mail domain"),
            ({"email_domain": "not a domain"}, "Enter a valid domain name"),
            ({"name": ""}, "This field is required"),
        ],
    )
    def test_a_rule_of_two_kinds_or_none_is_refused(self, admin, fields, why):
        assert why in page(admin, f"{RULES}add/", post=RULE | fields)
        assert why in page(admin, f"{RULES}add/", post=RULE | fields | {"confirmed": "1"})
        assert not ExclusionRule.objects.exists()

    @pytest.mark.parametrize("typed", ["@Example.com", "example.com ", "eve@EXAMPLE.COM"])
    def test_a_domain_is_understood_as_people_write_it(self, admin, typed):
        page(admin, f"{RULES}add/", post=RULE | {"email_domain": typed, "confirmed": "1"})
        assert ExclusionRule.objects.get().email_domain == "example.com"

    @pytest.mark.parametrize(
        ("typed", "value"),
        [
            ("true", True),
            ("7", 7),
            ("free", "free"),
            ('"true"', "true"),
            ("NaN", "NaN"),
            ("[1]", "[1]"),
            ("null", "null"),
        ],
    )
    def test_a_value_is_read_as_people_write_it_and_displayed_again(self, admin, typed, value):
        fields = {"email_domain": "", "property_name": "plan", "property_value": typed}
        page(admin, f"{RULES}add/", post=RULE | fields | {"confirmed": "1"})
        rule = ExclusionRule.objects.get()
        assert rule.property_value == value
        form = admin.get(f"{RULES}{rule.pk}/change/").context["adminform"].form
        page(
            admin,
            f"{RULES}{rule.pk}/change/",
            post=RULE
            | fields
            | {"property_value": form["property_value"].value(), "confirmed": "1"},
        )
        assert ExclusionRule.objects.get().property_value == value

    def test_a_reader_gets_no_preview_of_a_rule(self, reader):
        assert reader.post(f"{RULES}add/", RULE).status_code == 403


def test_a_customer_group_is_listed_and_opens(admin):
    named = {"$group_type": "team", "$group_key": "a1", "$group_set": {"name": "Blue team"}}
    store([record("$groupidentify", properties=named)])
    assert "Blue team" in page(admin, GROUPS, q="a1")
    assert "Blue team" in page(admin, f"{GROUPS}{Group.objects.get().pk}/change/")


@pytest.mark.parametrize("relation", ["days", "event", "distinct_ids", "exclusions"])
def test_a_list_is_not_filtered_by_rows_that_refer_to_a_person(admin_client, relation):
    response = admin_client.get(f"/admin/analytics/person/?{relation}=999999999")
    assert response.status_code in {302, 400}
