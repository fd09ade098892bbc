"""The pages of referrals in a browser: they fit the screen, and a reward is released by hand."""

import pytest
from playwright.sync_api import expect

from analytics.calculations.records import Proof
from growth.models import ReferralProgram, ReferralReward
from tests.growth.referrals import referring
from tests.growth.referrals.paying import LATER, make, refer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FUNNEL = "/admin/growth/referrals/?from=2024-05-01&to=2024-05-31"


@pytest.fixture
def suspicious():
    """The page of a reward to review."""
    referring.create_program(reward="webhook", webhook_url="https://shop.invalid/")
    referring.create_inviter()
    refer(proof=Proof.CLAIMED)
    make(LATER)
    return f"/admin/growth/rewards/{ReferralReward.objects.get().pk}/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_is_wider_than_the_screen(logged_in, suspicious, width, scheme):
    logged_in.emulate_media(color_scheme=scheme)
    logged_in.set_viewport_size({"width": width, "height": 844})
    program = f"/admin/growth/referralprogram/{ReferralProgram.objects.get().pk}/change/"
    lists = [f"/admin/growth/{name}/" for name in ("referral", "referralcode", "referralreward")]
    wide = []
    for url in [FUNNEL, suspicious, program, *lists]:
        logged_in.goto(url)
        if logged_in.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(url)
    assert wide == []


def test_staff_goes_from_the_funnel_to_a_reward_and_releases_it(logged_in, suspicious):
    logged_in.goto(FUNNEL)
    logged_in.get_by_role("link", name="Review", exact=True).click()
    logged_in.locator(f'a[href="{suspicious}"]').click()
    expect(logged_in.locator("#signals")).to_contain_text("only claimed")
    logged_in.get_by_label("Reason").fill("Met them")
    logged_in.get_by_role("button", name="Release").click()
    expect(logged_in.get_by_text("Released: it is sent now.")).to_be_visible()
    assert ReferralReward.objects.get().state == "due"


def test_a_number_of_the_funnel_opens_the_people_behind_it(logged_in, suspicious):
    logged_in.goto(FUNNEL)
    logged_in.locator("#step-paid").click()
    expect(logged_in.locator("#persons")).to_contain_text("bob")
