"""The pages of referrals: funnel, lists, the form of a program, the review of a reward."""

import re

import pytest
from django.contrib.admin.models import LogEntry

from analytics.calculations.records import Proof
from common import queueing
from growth.models import ReferralProgram, ReferralReward
from growth.referrals import sending
from tests.events import NOON, record
from tests.growth.referrals.paying import LATER, make, pay, refer, states
from tests.growth.referrals.referring import DAY, signup, store, visit
from tests.staff import member

pytestmark = pytest.mark.django_db
PAGE, PROGRAMS = "/admin/growth/referrals/", "/admin/growth/referralprogram/"
RANGE = {"from": "2024-05-01", "to": "2024-05-31"}
FORM = {"name": "Friends", "slug": "friends", "signup_url": "https://shop.example/", "cap": "5"}
FORM |= {"reward": "none", "webhook_url": "", "hold_days": "14"}


def text(response):
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", response.content.decode()))


def people(client, step):
    response = client.get(PAGE, RANGE | {"step": step})
    return sorted(person.distinct_ids.first().pk for person in response.context["persons"])


@pytest.fixture
def _company(offer):
    """Four people clicked; of those three signed up, two activated, one paid."""
    store(
        *(visit(who) for who in ("bob", "cleo", "dan", "finn")),
        *(signup(who, NOON + DAY) for who in ("bob", "cleo", "dan")),
        *(record("workflow_created", who, NOON + 2 * DAY) for who in ("bob", "cleo")),
    )
    pay("bob")
    pay("dan")  # who never activated


@pytest.mark.usefixtures("_company")
def test_the_funnel_has_the_people_behind_each_number(admin_client):
    expected = {
        "invite": ["ada"],
        "click": ["bob", "cleo", "dan", "finn"],
        "signup": ["bob", "cleo", "dan"],
        "activation": ["bob", "cleo"],
        "paid": ["bob"],
    }
    # The inviter's code was created today.
    code_range = {"from": "2024-05-01", "to": "2099-01-01", "step": "invite"}
    response = admin_client.get(PAGE, code_range)
    counts = {row.step.value: row.persons for row, *_ in response.context["steps"]}
    assert counts == {step: len(names) for step, names in expected.items()}
    assert [person.distinct_ids.first().pk for person in response.context["persons"]] == ["ada"]
    for step in ("click", "signup", "activation", "paid"):
        assert people(admin_client, step) == expected[step]


@pytest.mark.usefixtures("_company")
def test_the_funnel_counts_the_clicks_of_its_days(admin_client):
    response = admin_client.get(PAGE, {"from": "2024-05-02", "to": "2024-05-31"})
    assert {row.persons for row, *_ in response.context["steps"]} == {0}


def test_without_a_program_the_page_says_where_to_set_it_up(admin_client):
    response = admin_client.get(PAGE)
    assert "No referral program yet" in text(response)
    assert PROGRAMS + "add/" in response.content.decode()


@pytest.mark.parametrize(
    "query", [{"from": "nonsense"}, {"from": "2024-05-02", "to": "2024-05-01"}]
)
def test_days_that_cannot_be_are_named(admin_client, query):
    assert "steps" not in admin_client.get(PAGE, query).context


def test_a_step_that_does_not_exist_is_not_found(admin_client):
    assert admin_client.get(PAGE, {"step": "nonsense"}).status_code == 404


def test_the_empty_kpi_leads_to_the_page(admin_client):
    html = admin_client.get("/admin/operational/kpis/viral_coefficient/").content.decode()
    assert f'href="{PAGE}"' in html


def test_a_new_program_has_what_came_before_it_derived(admin_client, monkeypatch):
    enqueued = []
    monkeypatch.setattr(queueing, "enqueue", lambda name, *_, **__: enqueued.append(name))
    assert admin_client.post(PROGRAMS + "add/", FORM).status_code == 302
    assert enqueued == ["growth.tasks.rebuild_referrals"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reward": "webhook"}, "Enter the webhook"),
        ({"webhook_url": "http://169.254.169.254/"}, "not public"),
        ({"webhook_url": "https://127.0.0.1/"}, "not public"),
        ({"signup_url": "javascript:alert(1)"}, "valid URL"),
    ],
)
def test_a_program_that_cannot_work_is_refused(admin_client, changes, field):
    response = admin_client.post(PROGRAMS + "add/", FORM | changes)
    assert field in text(response) or "TLS" in text(response)
    assert not ReferralProgram.objects.exists()


def test_the_program_shows_the_secret_of_its_webhook(admin_client, offer):
    page = text(admin_client.get(f"{PROGRAMS}{offer.pk}/change/"))
    assert sending.secret_of(offer) in page


@pytest.fixture
def suspicious(offer):
    refer(proof=Proof.CLAIMED)
    make(LATER)
    return ReferralReward.objects.get()


def test_a_suspicious_reward_is_announced_and_says_why(admin_client, suspicious):
    assert "1 reward to review" in text(admin_client.get(PAGE))
    page = text(admin_client.get(f"/admin/growth/rewards/{suspicious.pk}/"))
    assert "The code is only claimed, through the public key" in page


@pytest.mark.parametrize(
    ("button", "state", "logged"),
    [("release", "due", "Released: Met them"), ("refuse", "refused", "Refused: Met them")],
)
def test_staff_decides_with_a_reason_that_is_logged(
    admin_client, suspicious, button, state, logged
):
    admin_client.post(f"/admin/growth/rewards/{suspicious.pk}/", {"reason": "Met them", button: ""})
    suspicious.refresh_from_db()
    assert (suspicious.state, suspicious.reason) == (state, "Met them")
    assert suspicious.decided_by == "admin"
    assert LogEntry.objects.latest("pk").change_message == logged


def test_a_decision_needs_a_reason(admin_client, suspicious):
    admin_client.post(f"/admin/growth/rewards/{suspicious.pk}/", {"reason": " ", "release": ""})
    assert states() == {"bob": "review"}


def test_an_analyst_sees_a_reward_and_decides_nothing(client, suspicious):
    client.force_login(member("Analyst"))
    path = f"/admin/growth/rewards/{suspicious.pk}/"
    assert "Decide" not in text(client.get(path))
    assert client.post(path, {"reason": "x", "release": ""}).status_code == 403
    assert states() == {"bob": "review"}


@pytest.mark.parametrize("model", ["referral", "referralcode", "referralreward"])
@pytest.mark.usefixtures("suspicious")
def test_the_lists_name_both_people(admin_client, model):
    page = text(admin_client.get(f"/admin/growth/{model}/"))
    assert "ada" in page
    assert model == "referralcode" or "bob" in page
