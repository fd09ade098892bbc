"""Codes and attributions by API."""

import threading

import pytest
from django.db import connections
from rest_framework.test import APIClient

from growth.models import ReferralCode, ReferralProgram
from growth.referrals import attribution, codes, referred
from tests.api import staff_client
from tests.growth.referrals import referring
from tests.growth.referrals.referring import create_program, signup, store
from tests.staff import member
from tests.tokens import bearer

pytestmark = pytest.mark.django_db
CODES, REFERRALS = "/api/growth/referrals/codes", "/api/growth/referrals"


@pytest.fixture
def _ada():
    create_program()
    store(signup("ada", code=""))


def post(path, **body):
    return staff_client().post(path, body, format="json")


@pytest.mark.usefixtures("_ada")
def test_a_code_is_created_once_and_comes_with_its_link():
    first, second = post(CODES, distinct_id="ada"), post(CODES + "/", distinct_id="ada")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    code = first.json()["code"]
    assert first.json()["link"] == f"https://shop.example/signup?ref={code}"
    assert staff_client().get(CODES, {"distinct_id": "ada"}).json() == first.json()


@pytest.mark.usefixtures("_ada")
@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://a.example/?plan=pro#top", "https://a.example/?plan=pro&ref=ADA#top"),
        ("https://a.example", "https://a.example?ref=ADA"),
    ],
)
def test_the_link_keeps_what_the_sign_up_page_has_already(url, link):
    ReferralProgram.objects.update(signup_url=url)
    assert post(CODES, distinct_id="ada", code="ada").json()["link"] == link


@pytest.mark.usefixtures("_ada")
def test_a_code_of_another_person_is_a_conflict():
    store(signup("eve", code=""))
    assert post(CODES, distinct_id="ada", code="FRIEND").status_code == 201
    assert post(CODES, distinct_id="eve", code="friend").status_code == 409
    assert post(CODES, distinct_id="ada", code="OTHER").status_code == 409


@pytest.mark.usefixtures("_ada")
@pytest.mark.parametrize("code", ["ab", "a b", "é" * 4, "A" * 41, "-ab", "a\x00b"])
def test_what_cannot_be_a_code_is_refused(code):
    assert post(CODES, distinct_id="ada", code=code).status_code == 400


@pytest.mark.usefixtures("_ada")
def test_unknown_persons_programs_and_codes_are_not_there():
    assert post(CODES, distinct_id="unknown").status_code == 404
    assert post(CODES, distinct_id="ada", program="other").status_code == 404
    assert post(REFERRALS, distinct_id="bob", code="NONE").status_code == 404
    assert staff_client().get(CODES, {"distinct_id": "ada"}).status_code == 404


def test_without_a_program_there_are_no_codes():
    assert post(CODES, distinct_id="ada").status_code == 404


@pytest.mark.usefixtures("inviter")
@pytest.mark.parametrize("signs_up_first", [True, False])
def test_the_backend_names_the_code_before_or_after_the_signup(signs_up_first):
    if signs_up_first:
        store(signup(code=""))
    assert post(REFERRALS, distinct_id="bob", code="ada").status_code == 202
    if not signs_up_first:
        store(signup(code=""))
    attribution.update()
    referral = referred.signed_up().get()
    assert (referral.distinct_id_id, referral.proved) == ("bob", True)


@pytest.mark.usefixtures("inviter")
def test_the_backend_decides_against_what_a_page_claims():
    referring.create_inviter("eve", "EVE")
    store(signup(code="EVE"))
    post(REFERRALS, distinct_id="bob", code="ADA")
    attribution.update()
    assert referred.signed_up().get().code_id == "ADA"


@pytest.mark.usefixtures("inviter")
def test_the_first_code_that_the_backend_names_stays():
    referring.create_inviter("eve", "EVE")
    store(signup(code=""))
    for code in ("ADA", "EVE"):
        post(REFERRALS, distinct_id="bob", code=code)
    attribution.update()
    assert referred.signed_up().get().code_id == "ADA"


@pytest.mark.usefixtures("inviter")
def test_a_placeholder_is_not_a_person():
    assert post(REFERRALS, distinct_id="anonymous", code="ADA").status_code == 400


@pytest.mark.usefixtures("_ada")
@pytest.mark.parametrize(
    ("group", "scope", "status"),
    [
        ("Operator", "growth:write", 201),
        ("Operator", "growth:read", 403),
        ("Operator", "billing:write", 403),
        ("Analyst", "growth:write", 403),
    ],
)
def test_a_code_needs_the_scope_and_the_permission(group, scope, status):
    client = APIClient(headers=bearer(member(group), scope))
    assert client.post(CODES, {"distinct_id": "ada"}, format="json").status_code == status


@pytest.mark.django_db(transaction=True)
def test_requests_at_once_get_the_same_code():
    create_program()
    store(signup("ada", code=""))
    offer, results = codes.program(), []

    def create():
        results.append(codes.get_or_create("ada", offer)[0].pk)
        connections.close_all()

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(results), len(set(results)), ReferralCode.objects.count()) == (8, 1, 1)
