"""The API gives the answers that were computed independently for a real product launch."""

import json
from collections import Counter

import pytest

from tests.api import get
from tests.real_data import DATA, imported, needed

FOLDER = "events_se_quantum"
AS_OF = "2018-09-01"  # the last full day of the data
LATER = "2019-09-01"  # by then every entry into a funnel is a year old

pytestmark = [pytest.mark.django_db, needed(f"{FOLDER}/events.jsonl.gz")]

VARIANTS = {
    "signup_any_event": ("signup", []),
    "signup_core_activity": ("signup", ["signed_up", "badge_earned"]),
    "first_core_event": ("first_event", ["signed_up", "badge_earned"]),
}


def read(name):
    path = DATA / FOLDER / name
    return json.loads(path.read_text()) if path.exists() else {}


TRAPS = read("traps.json")


def only(*variants):
    return pytest.mark.parametrize("variant", variants, indirect=True, scope="module")


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request, django_db_setup, django_db_blocker):
    """Return the cohort to ask for and the right answers."""
    cohort, passive = VARIANTS[request.param]
    with imported(
        f"{FOLDER}/events.jsonl.gz",
        django_db_blocker,
        PLUMBLINE_TIME_ZONE="UTC",
        PLUMBLINE_SIGNUP_EVENT="signed_up",
        PLUMBLINE_ACTIVATION_EVENT="question_asked",
        PLUMBLINE_PASSIVE_EVENTS=passive,
    ):
        yield cohort, read("oracle.json")["variants"][request.param]


@pytest.fixture
def cohort(variant):
    return variant[0]


@pytest.fixture
def right(variant):
    return variant[1]


def months(**parameters):
    periods = get("analytics/active-users", granularity="month", as_of=AS_OF, **parameters)
    return periods["periods"]


def test_retention_on_days_1_to_90(cohort, right):
    days = get("analytics/retention", cohort=cohort, days="1,7,14,30,60,90", as_of=AS_OF)["days"]
    assert {f"D{day['day']}": (day["eligible"], day["retained"], day["rate"]) for day in days} == {
        day: (answer["eligible"], answer["retained"], answer["rate"])
        for day, answer in right["retention"].items()
    }


@only("signup_any_event")
@pytest.mark.parametrize("trap", [name for name in TRAPS if name.startswith("wrong_")])
def test_the_usual_mistakes_are_not_made(variant, trap):
    days = get("analytics/retention", days="1,7,30", as_of=AS_OF)["days"]
    answers = {f"D{day['day']}": [day["eligible"], day["retained"]] for day in days}
    assert answers == TRAPS["right"]
    wrong = {day: pair for day, pair in TRAPS[trap].items() if pair != TRAPS["right"][day]}
    assert not any(answers[day] == pair for day, pair in wrong.items())


def test_the_cohort_of_every_day(cohort, right):
    sizes = {
        day: get("analytics/retention", cohort=cohort, days="0", from_=day, to=day, as_of=LATER)[
            "days"
        ][0]["eligible"]
        for day, _ in right["cohort_daily"]
    }
    assert sizes == dict(right["cohort_daily"])


def test_the_size_of_all_cohorts_together(cohort, right):
    answer = get("analytics/retention", cohort=cohort, days="0", as_of=LATER)
    assert answer["days"][0]["eligible"] == right["cohort_users"]


def test_the_weekly_matrix(cohort, right):
    rows = get("analytics/retention/weekly", cohort=cohort, weeks=12, as_of=AS_OF)["rows"]
    assert [
        [row["week"], row["size"], [week["retained"] for week in row["weeks"]]] for row in rows
    ] == right["weekly_retention"]
    assert all(
        week["rate"] == week["retained"] / row["size"] for row in rows for week in row["weeks"]
    )


def test_daily_active_persons(right):
    days = get("analytics/active-users", granularity="day", to="2018-09-02", as_of=AS_OF)
    active = [[day["start"], day["active"]] for day in days["periods"] if day["active"]]
    assert active == right["dau"]


def test_persons_active_in_each_iso_week(right):
    weeks = get("analytics/active-users", granularity="week", as_of=AS_OF)["periods"]
    assert [[week["start"], week["active"]] for week in weeks] == right["wau_iso_week"]


def test_persons_active_in_each_month(right):
    active = [[month["start"][:7], month["active"]] for month in months()]
    assert active == right["mau"]


def test_the_month_that_is_not_over_is_marked(variant):
    assert [month["complete"] for month in months()] == [True] * 6 + [False]


def test_growth_accounting(right):
    accounting = [
        [month["start"][:7], month["growth_accounting"]] for month in months() if month["complete"]
    ]
    assert accounting == right["growth_accounting"]


def test_trailing_active_persons_at_month_ends(right):
    days = get("analytics/active-users", granularity="day", as_of=AS_OF)["periods"]
    wanted = {row[0] for row in right["rolling_month_end_dau_wau7_mau30"]}
    assert [
        [day["start"], day["active"], day["trailing_7"], day["trailing_30"]]
        for day in days
        if day["start"] in wanted
    ] == right["rolling_month_end_dau_wau7_mau30"]


def test_stickiness(right):
    stickiness = {month["start"][:7]: month["stickiness"] for month in months()}
    for month, value in right["stickiness_month"]:
        assert stickiness[month] == pytest.approx(value, abs=1e-12)


def test_growth_month_over_month(right):
    growth = {month["start"][:7]: month["growth"] for month in months()}
    for month, value in right["mau_mom_growth"]:
        assert growth[month] == pytest.approx(value, abs=1e-12)


def test_growth_does_not_depend_on_the_first_requested_month(right):
    (august,) = months(from_="2018-08-01", to="2018-08-31")
    assert august["growth"] == pytest.approx(right["mau_mom_growth"][-1][1], abs=1e-12)


def test_new_persons_of_each_month(cohort, right):
    if cohort == "signup":
        report = get("analytics/activation", to="2018-08-31", as_of=AS_OF)
        new = [[month["month"], month["signups"]] for month in report["months"]]
    else:
        new = [[m["start"][:7], m["growth_accounting"]["new"]] for m in months() if m["complete"]]
    assert new == right["new_users_month"]


@only("signup_any_event", "signup_core_activity")
def test_activation_by_month_of_signup(right):
    report = get("analytics/activation", to="2018-08-31", as_of=AS_OF)
    by_month = [
        [month["month"], month["eligible"], month["activated"]] for month in report["months"]
    ]
    assert by_month == right["activation_7d_by_signup_month"]
    overall = report["overall"]
    sums = [sum(month[column] for month in by_month) for column in (1, 2)]
    assert [overall["eligible"], overall["activated"]] == sums


def test_funnels_of_matured_entries(right):
    for funnel in right["funnels"].values():
        steps = ask_funnel(funnel, as_of=AS_OF)
        assert [step["persons"] for step in steps] == funnel["matured_users"]
        conversion = [step["from_first"]["rate"] for step in steps]
        assert conversion == pytest.approx(funnel["matured_conversion"], abs=1e-12)


def test_funnels_once_every_entry_is_mature(right):
    for funnel in right["funnels"].values():
        steps = ask_funnel(funnel, as_of=LATER)
        assert [step["persons"] for step in steps] == funnel["all_users"]


def ask_funnel(funnel, *, as_of):
    return get(
        "analytics/funnel",
        steps=",".join(funnel["steps"]),
        within_hours=funnel["window_hours"],
        as_of=as_of,
    )["steps"]


@only("signup_any_event")
def test_the_event_list_has_every_event_once(variant):
    path, uuids = "analytics/events?limit=200", []
    events: Counter[str] = Counter()
    while path:
        page = get(path)
        uuids += [event["uuid"] for event in page["results"]]
        events.update(event["event"] for event in page["results"])
        path = page["next"] and page["next"].split("/api/")[1]
    assert len(uuids) == len(set(uuids)) == read("oracle.json")["totals"]["events"]
    assert events == read("oracle.json")["totals"]["by_event"]
