"""P97: the first touch before signup decides, and it is never overwritten by a later one."""

from datetime import UTC, datetime, timedelta

import pytest

from growth.calculations.spend.channels import normalized
from growth.calculations.spend.touch import Touch, brought, first_touch

SIGNUP = datetime(2024, 5, 1, 12, tzinfo=UTC)
LATER = SIGNUP + timedelta(days=30)


def micros(at):
    return round(at.timestamp() * 1_000_000)


def touched(**names):
    """Return properties and their times: set once an hour before signup, named without the $."""
    properties = {name.replace("initial", "$initial"): value for name, value in names.items()}
    return properties, dict.fromkeys(properties, -micros(SIGNUP - timedelta(hours=1)))


@pytest.mark.parametrize(
    ("names", "channel"),
    [
        ({"initial_utm_source": "Google_Ads"}, "google ads"),
        ({"utm_source": "newsletter"}, "newsletter"),
        ({"initial_referring_domain": "www.Example.com"}, "example.com"),
        ({"initial_utm_source": "fb", "initial_referring_domain": "google.com"}, "fb"),
        ({"initial_utm_source": "", "initial_referring_domain": "google.com"}, "google.com"),
        ({"initial_utm_source": 7, "utm_source": "x"}, "x"),
    ],
)
def test_the_channel_is_the_source_or_the_referring_site(names, channel):
    assert first_touch(*touched(**names)).channel == channel


@pytest.mark.parametrize(
    "names",
    [{}, {"initial_referring_domain": "$direct"}, {"utm_source": " -_ "}, {"utm_source": None}],
)
def test_without_a_source_there_is_no_touch(names):
    assert first_touch(*touched(**names)) is None


@pytest.mark.parametrize("time", [micros(SIGNUP), 0, None])
def test_a_value_that_may_have_been_overwritten_is_not_a_first_touch(time):
    times = {} if time is None else {"utm_source": time}
    assert first_touch({"utm_source": "google"}, times) is None


@pytest.mark.parametrize(
    ("before_signup", "counts"),
    [
        (timedelta(0), True),
        (timedelta(days=90), True),
        (timedelta(days=90, microseconds=1), False),
        (-timedelta(minutes=5), True),  # of $identify right after the signup
        (-timedelta(minutes=5, microseconds=1), False),
        (-timedelta(days=1), False),
    ],
)
def test_a_touch_counts_from_90_days_before_signup_and_not_after_it(before_signup, counts):
    touch = Touch("google", SIGNUP - before_signup)
    assert brought(touch, signup_at=SIGNUP, paid_before=LATER) is counts


def test_who_paid_before_the_touch_was_not_brought_by_it():
    touch = Touch("google", SIGNUP)
    assert not brought(touch, signup_at=SIGNUP, paid_before=SIGNUP)


def test_without_a_signup_nothing_is_attributed():
    assert not brought(Touch("google", SIGNUP), signup_at=None, paid_before=LATER)
    assert not brought(None, signup_at=SIGNUP, paid_before=LATER)


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        (" Google  Ads ", "google ads"),
        ("google-ads", "google ads"),
        ("GOOGLE_ADS", "google ads"),
        ("www.linkedin.com", "linkedin.com"),
        ("Straße", "strasse"),
    ],
)
def test_a_channel_has_a_single_spelling(name, channel):
    assert normalized(name) == channel
