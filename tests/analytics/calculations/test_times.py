"""When an event happened."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.models import Event, RejectedEvent
from tests import ledger, sdk

pytestmark = pytest.mark.django_db

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def frozen(time_machine):
    time_machine.move_to(NOW, tick=False)


def time_of(sent_at=None, **fields):
    """Return the time that an event has once it is stored, as a distance from now."""
    event = {"event": "used", "distinct_id": "ada"} | fields
    body = {"api_key": sdk.key(), "batch": [event]} | ({"sent_at": sent_at} if sent_at else {})
    assert sdk.post("/batch/", body).status_code == 200
    sdk.ingest()
    return Event.objects.get().timestamp - NOW


def refusal(**fields):
    event = {"api_key": sdk.key(), "event": "used", "distinct_id": "ada"} | fields
    assert sdk.post("/e/", event).status_code == 400
    rejected = RejectedEvent.objects.get()
    return rejected.reason, rejected.detail


def at(distance):
    return (NOW + distance).isoformat()


def test_without_sent_at_the_timestamp_is_used_unchanged():
    assert time_of(timestamp=at(-2 * HOUR)) == -2 * HOUR


@pytest.mark.parametrize("wrong", [HOUR, -40 * DAY])
def test_sent_at_corrects_a_wrong_clock_of_the_sender(wrong):
    assert time_of(timestamp=at(wrong - 5 * HOUR), sent_at=at(wrong)) == -5 * HOUR


def test_an_event_can_disable_the_correction_of_its_time():
    kept = {"properties": {"$ignore_sent_at": True}}
    assert time_of(timestamp=at(-2 * HOUR), sent_at=at(HOUR), **kept) == -2 * HOUR


@pytest.mark.parametrize("sent_at", ["soon", 7e30, [1], {"a": 1}])
def test_an_unusable_sent_at_does_not_affect_events(sent_at):
    assert time_of(timestamp=at(-HOUR), sent_at=sent_at) == -HOUR


def test_without_timestamp_the_offset_counts_back_from_now():
    assert time_of(offset=1500) == -timedelta(seconds=1.5)


def test_without_timestamp_and_offset_it_is_now():
    assert time_of() == timedelta(0)


def test_up_to_23_hours_ahead_a_time_is_accepted():
    assert time_of(timestamp=at(23 * HOUR)) == 23 * HOUR


@pytest.mark.parametrize("distance", [23 * HOUR + timedelta(seconds=1), 4_000 * DAY])
def test_farther_ahead_it_becomes_now(distance):
    assert time_of(timestamp=at(distance)) == timedelta(0)


@pytest.mark.parametrize(
    "notation",
    [
        "2024-05-01T10:00:00Z",
        "2024-05-01T12:00:00+02:00",
        "2024-05-01 10:00:00",
        "2024-05-01T10:00:00.000000",
        1714557600,
        1714557600000,
        1714557600000.0,
    ],
)
def test_a_time_is_iso_8601_or_a_number_of_seconds_or_milliseconds(notation):
    assert time_of(timestamp=notation) == -2 * HOUR


@pytest.mark.parametrize(
    "notation",
    [
        "2024-05-01t10:00:00z",
        "2024-05-01 10:00:00.000000 UTC",
        "2024-05-01 10:00:00 GMT",
        "2024-05-01 12:00:00 +0200",
        "2024-05-01T10:00:00.0000000Z",  # .NET's
        "20240501T100000Z",
        "Wed, 01 May 2024 10:00:00 GMT",
        "wed, 01 May 2024 12:00:00 +0200",
    ],
)
def test_a13_other_usual_notations_are_read(notation):
    assert time_of(timestamp=notation) == -2 * HOUR


@pytest.mark.parametrize("midnight", ["2024-04-30T24:00:00Z", "2024-04-30 24:00", "20240430T2400"])
def test_a13_the_end_of_a_day_is_the_start_of_the_next(midnight):
    assert time_of(timestamp=midnight) == -12 * HOUR


UNREADABLE = ["yesterday", "", "2024-05-01T24:30:00Z", "99:99", 1e300, -1e300, True, [1], {"a": 1}]


@pytest.mark.parametrize("timestamp", UNREADABLE)
def test_a13_with_an_unreadable_time_an_event_happened_at_its_arrival(timestamp):
    assert time_of(timestamp=timestamp) == timedelta(0)
    assert Event.objects.get().properties["$ignored_timestamp"] == str(timestamp)


@pytest.mark.parametrize("offset", [1e300, -1e300, "soon", [1], {"a": 1}])
def test_a13_with_an_unusable_offset_an_event_happened_at_its_arrival(offset):
    assert time_of(offset=offset) == timedelta(0)
    assert Event.objects.get().properties["$ignored_timestamp"] == str(offset)


def test_a13_a_time_too_far_ahead_stays_on_the_event():
    time_of(timestamp=at(4_000 * DAY))
    assert Event.objects.get().properties["$ignored_timestamp"] == at(4_000 * DAY)


def test_a13_the_ledger_counts_events_whose_time_was_unusable():
    time_of(timestamp="yesterday")
    assert ledger.totals() == {"accepted": 1, "stored": 1, "changed": 1}


def test_before_1990_an_event_is_rejected():
    assert refusal(timestamp="1889-01-01T00:00:00Z") == ("bad_timestamp", "timestamp: before 1990")


def test_a12_an_offset_may_be_digits_in_a_text():
    assert time_of(offset="1500") == -timedelta(seconds=1.5)


@pytest.mark.parametrize("name", ["sent_at", "_"])
@pytest.mark.parametrize("wrong", [HOUR, -26 * HOUR])
def test_a02_the_time_of_sending_may_be_in_the_address(name, wrong):
    sent_at = int((NOW + wrong).timestamp() * 1000)
    event = {"event": "used", "distinct_id": "ada", "timestamp": at(wrong - 5 * HOUR)}
    sdk.post(f"/e/?compression=base64&{name}={sent_at}", event | {"api_key": sdk.key()})
    sdk.ingest()
    assert Event.objects.get().timestamp == NOW - 5 * HOUR


@pytest.mark.parametrize("wrong", ["", "soon", "12345", "0.8374652", "1714557600"])
def test_a02_what_only_prevents_caching_moves_no_time(wrong):
    event = {"event": "used", "distinct_id": "ada", "timestamp": at(-HOUR)}
    sdk.post(f"/e/?_={wrong}", event | {"api_key": sdk.key()})
    sdk.ingest()
    assert Event.objects.get().timestamp == NOW - HOUR


def test_beyond_the_retention_period_an_event_is_rejected_with_that_reason(settings):
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 30
    detail = "timestamp: before 2024-04-01, which is too old"
    assert refusal(timestamp=at(-30 * DAY - HOUR)) == ("too_old", detail)


def test_within_the_retention_period_late_events_are_accepted(settings):
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 30
    assert time_of(timestamp=at(-30 * DAY)) == -30 * DAY


def test_without_a_retention_period_events_of_the_backend_may_be_decades_old():
    event = {"event": "used", "distinct_id": "ada", "timestamp": "1991-01-01T00:00:00Z"}
    sdk.post("/batch/", {"api_key": sdk.server_key(), "batch": [event]})
    sdk.ingest()
    assert Event.objects.get().timestamp.year == 1991


def test_s05_claims_name_no_month_of_more_than_five_years_ago():
    assert time_of(timestamp=at(-1_824 * DAY)) == -1_824 * DAY
    detail = "timestamp: before 2019-05-03, which is too old"
    assert refusal(timestamp=at(-1_826 * DAY)) == ("too_old", detail)


def test_the_retention_period_counts_from_the_arrival(settings, time_machine):
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 30
    event = {"event": "used", "distinct_id": "ada", "timestamp": at(-29 * DAY)}
    sdk.post("/e/", event | {"api_key": sdk.key()})
    time_machine.move_to(NOW + 10 * DAY)
    sdk.ingest()
    assert Event.objects.count() == 1


SECONDS = int((NOW - HOUR).timestamp())


@pytest.mark.parametrize(
    "timestamp",
    [SECONDS, SECONDS * 10**3, SECONDS * 10**6, SECONDS * 10**9, f" {SECONDS}", f"{SECONDS}.0"],
)
def test_a11_a_unix_time_is_read_in_any_unit_and_as_a_text(timestamp):
    assert time_of(timestamp=timestamp) == -HOUR


@pytest.mark.parametrize("sent_at", [SECONDS, str(SECONDS), str(SECONDS * 1000)])
def test_a11_a_time_of_sending_may_be_digits_in_a_text(sent_at):
    assert time_of(timestamp=at(-2 * HOUR), sent_at=sent_at) == -HOUR


def test_a11_eight_digits_are_a_date():
    assert time_of(timestamp="20240430") == -36 * HOUR


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2024-05-01T11:00:0512+00:00", 5.12),  # posthog-php, from microtime(true)
        ("2024-05-01 11:00:05123456Z", 5.123456),
        ("2024-05-01T11:00:05.1234567+00:00", 5.123456),  # posthog-dotnet
        ("2024-05-01T11:00:05.123456789Z", 5.123456),  # posthog-go
        ("2024-05-01T11:00:05.123456789", 5.123456),  # posthog-rs
    ],
)
def test_a13_fractions_of_a_second_are_read_as_sdks_write_them(text, seconds):
    assert time_of(timestamp=text) == timedelta(seconds=seconds) - HOUR
