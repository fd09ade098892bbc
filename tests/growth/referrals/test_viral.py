"""The viral coefficient, by hand: each case names its people, and the numbers that must come out.

`AS_OF` is 31 March 2026, so the cohort is who signed up from 31 January to 1 March.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from analytics.calculations.cells import add_cells
from analytics.models import DistinctId, Person, PersonDay
from analytics.people import exclusions
from analytics.rollups import counters, definitions
from analytics.rollups.milestones import read_milestones
from common.postgres import raw_cursor
from growth.models import Referral, ReferralCode, ReferralProgram
from growth.referrals import invitations, viral
from operational.calculations.catalogue import KpiGroup
from operational.kpis import sources
from operational.kpis.goals import in_force
from tests.growth.referrals import referring

pytestmark = pytest.mark.django_db
AS_OF = date(2026, 3, 31)
FIRST, LAST = date(2026, 1, 31), date(2026, 3, 1)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
START = datetime(2026, 1, 31, tzinfo=UTC)  # of the cohort's first day
END = datetime(2026, 3, 2, tzinfo=UTC)  # of its last day
MIDDLE = datetime(2026, 2, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _program(db):
    referring.create_program()


def person(name, signup_at=MIDDLE, **more):
    added = Person.objects.create(signup_at=signup_at, **more)
    DistinctId.objects.create(distinct_id=name, person=added)
    cells: dict[Any, Any] = {}
    cursor = raw_cursor()
    (stored,) = read_milestones(cursor, [added.pk]).values()
    add_cells(cells, stored.firsts(definitions.calendar()), [])
    counters.add(cursor, cells)
    return added


def inviter(name="ada", signup_at=MIDDLE, **more):
    person(name, signup_at, **more)
    offer = ReferralProgram.objects.get()
    return ReferralCode.objects.create(
        code=name.upper(), distinct_id_id=name, program=offer, created_at=START - 90 * DAY
    )


def referral(name, code="ADA", signup_at=MIDDLE + DAY, *, clicked_at=None, is_named=True, **more):
    invited = person(name, signup_at, **more)
    row = Referral.objects.create(
        distinct_id_id=name,
        code_id=code,
        clicked_at=clicked_at or signup_at,
        signed_up_at=signup_at,
        is_named=is_named,
        proved=False,
    )
    invitations.update(raw_cursor(), [invited.pk])
    return row


def numbers():
    counts = viral.virality(first=FIRST, last=LAST)
    return counts.accepted, counts.inviters


def measured(as_of=AS_OF):
    goal = in_force()["viral_coefficient"]
    return sources.source_of("viral_coefficient").measure(as_of=as_of, goal=goal)


def test_v01_one_of_two_people_brings_one_person():
    inviter()
    person("eve")
    referral("bob", signup_at=MIDDLE + 25 * DAY)  # outside of the cohort itself
    assert numbers() == (1, 2)


def test_v02_who_was_brought_within_the_cohort_counts_in_both_numbers():
    inviter()
    referral("bob")
    assert numbers() == (1, 2)


def test_v03_a_person_who_brings_three_counts_three_times():
    inviter()
    for name in ("bob", "cleo", "dan"):
        referral(name, signup_at=MIDDLE + 20 * DAY)
    assert numbers() == (3, 1)


def test_v04_no_one_brings_anyone():
    inviter()
    person("eve")
    assert numbers() == (0, 2)


@pytest.mark.parametrize(
    ("after", "expected"),
    [(timedelta(0), 1), (30 * DAY, 1), (30 * DAY + SECOND, 0), (-SECOND, 0)],
)
def test_v05_the_referred_person_signs_up_within_30_days_after_the_inviter(after, expected):
    inviter(signup_at=END - SECOND)
    referral("bob", signup_at=END - SECOND + after)
    assert numbers()[0] == expected


@pytest.mark.parametrize(
    ("signup_at", "expected"),
    [(START - SECOND, (0, 0)), (START, (1, 1)), (END - SECOND, (1, 1)), (END, (0, 0))],
)
def test_v06_the_inviter_signs_up_within_the_window(signup_at, expected):
    inviter(signup_at=signup_at)
    brought_at = signup_at + 29 * DAY
    referral("bob", signup_at=brought_at)
    is_in_cohort = START <= brought_at < END
    assert numbers() == (expected[0], expected[1] + is_in_cohort)


def test_v07_who_invites_themselves_does_not_count():
    code = inviter()
    ada = code.distinct_id.person
    DistinctId.objects.create(distinct_id="ada-2", person=ada)
    Referral.objects.create(
        distinct_id_id="ada-2",
        code=code,
        clicked_at=MIDDLE,
        signed_up_at=MIDDLE,
        is_named=True,
        proved=True,
    )
    invitations.update(raw_cursor(), [ada.pk])
    assert numbers() == (0, 1)


def test_v08_an_excluded_referred_person_does_not_count():
    inviter()
    referral("bob", signup_at=MIDDLE + 25 * DAY, excluded=True)
    assert numbers() == (0, 1)


def test_v09_an_excluded_inviter_is_in_neither_number():
    inviter(excluded=True)
    referral("bob", signup_at=MIDDLE + 25 * DAY)
    assert numbers() == (0, 0)


def test_v10_a_person_without_a_profile_is_in_neither_number():
    inviter(has_profile=False)
    referral("bob", signup_at=MIDDLE + 25 * DAY)
    assert numbers() == (0, 0)


def test_v11_a_referred_person_who_only_opened_the_link_does_not_count():
    inviter()
    referral("bob", signup_at=MIDDLE + 25 * DAY, is_named=False)
    assert numbers() == (0, 1)


@pytest.mark.parametrize(("days", "expected"), [(30, 1), (31, 0)])
def test_v12_the_click_is_at_most_30_days_before_the_signup(days, expected):
    inviter()
    signup_at = MIDDLE + 25 * DAY
    referral("bob", signup_at=signup_at, clicked_at=signup_at - days * DAY)
    assert numbers()[0] == expected


def test_v13_who_activated_before_the_click_existed_before():
    inviter()
    referral("bob", signup_at=MIDDLE + 25 * DAY, activated_at=MIDDLE)
    assert numbers() == (0, 1)


def test_v14_an_inviter_who_never_signed_up_is_in_neither_number():
    inviter(signup_at=None)
    referral("bob", signup_at=MIDDLE + 25 * DAY)
    assert numbers() == (0, 0)


def test_v15_a_chain_counts_each_link_for_its_own_inviter():
    inviter("ada")
    referral("bob", "ADA", MIDDLE + DAY)
    offer = ReferralProgram.objects.get()
    ReferralCode.objects.create(code="BOB", distinct_id_id="bob", program=offer)
    referral("cleo", "BOB", MIDDLE + 25 * DAY)
    assert numbers() == (2, 2)


def test_v16_invited_and_acceptance_are_the_two_factors_of_the_coefficient():
    inviter()
    for name in ("bob", "cleo", "dan"):
        referral(name, signup_at=MIDDLE + 25 * DAY, is_named=name == "bob")
    counts = viral.virality(first=FIRST, last=LAST)
    assert (counts.inviters, counts.invited, counts.accepted) == (1, 3, 1)


def test_v17_thirty_people_and_fifteen_brought_make_one_half():
    inviter()
    for number in range(29):
        person(f"person-{number}")
    for number in range(15):
        referral(f"friend-{number}", signup_at=MIDDLE + 25 * DAY)
    reading = measured()
    assert (reading.value, reading.status, reading.interval) == (0.5, "ok", None)
    assert (reading.window_from, reading.window_to) == (FIRST, LAST)


def test_v18_the_coefficient_may_exceed_1():
    inviter()
    for number in range(45):
        referral(f"friend-{number}", signup_at=MIDDLE + 25 * DAY)
    assert measured().value == 45


def test_v19_below_thirty_people_the_sample_is_too_small_to_score():
    inviter()
    referral("bob", signup_at=MIDDLE + 25 * DAY)
    assert (measured().status, measured().value) == ("low_sample", 1)


def test_v20_without_signups_there_is_no_value_and_a_reason():
    inviter(signup_at=START - 90 * DAY)
    reading = measured()
    assert (reading.value, reading.status) == (None, "no_data")
    assert reading.reason == "No one signed up from 2026-01-31 to 2026-03-01."


def test_v21_without_a_code_there_is_no_value_although_people_signed_up():
    person("eve")
    reading = measured()
    assert (reading.value, reading.status) == (None, "no_data")
    assert "Set up a referral program" in reading.reason


def test_v22_before_the_first_code_there_is_no_value():
    inviter()
    ReferralCode.objects.update(created_at=END + 60 * DAY)
    person("eve")
    assert measured().status == "no_data"


def test_v23_a_past_day_is_measured_as_of_then():
    inviter()
    referral("bob", signup_at=MIDDLE + 25 * DAY)
    assert measured(AS_OF + 20 * DAY).numerator == 0  # Ada is no longer in the window
    assert measured(AS_OF + 10 * DAY).numerator == 1


def test_the_people_behind_each_number_are_those_that_are_counted():
    inviter()
    person("eve")
    referral("bob", signup_at=MIDDLE + 25 * DAY)

    def names(group):
        rows = sources.people("viral_coefficient", as_of=AS_OF, group=group)
        return sorted(rows.values_list("distinct_ids__distinct_id", flat=True))

    assert names(KpiGroup.NUMERATOR) == ["bob"]
    assert names(KpiGroup.DENOMINATOR) == ["ada", "eve"]
    assert names(KpiGroup.MISSED) == ["eve"]


def test_the_figures_shown_with_it_multiply_to_it():
    inviter()
    for name in ("bob", "cleo", "dan", "eve"):
        referral(name, signup_at=MIDDLE + 25 * DAY, is_named=name == "bob")
    invite, acceptance = sources.related_figures("viral_coefficient", as_of=AS_OF)
    assert (invite.measurement.value, acceptance.measurement.value) == (4, 0.25)
    assert measured().value == 4 * 0.25


def test_an_exclusion_changes_the_number_at_once():
    inviter()
    bob = referral("bob", signup_at=MIDDLE + 25 * DAY).distinct_id.person
    PersonDay.objects.create(person=bob, day=LAST)
    exclusions.decide([bob.pk], excluded=True, by="ada")
    assert numbers() == (0, 1)
