"""posthog-python delivers to the real web server, over each protocol it supports."""

from contextlib import contextmanager
from typing import Any

import pytest
from posthog import Posthog

from analytics.models import Event, EventOutcome, Group, Person, PersonMerge
from tests import sdk
from tests.ledger import totals

WIRES: dict[str, dict[str, Any]] = {
    "v0": {},
    "v0-gzip": {"gzip": True},
    "v0-sync": {"sync_mode": True},
    "v1": {"capture_mode": "v1"},
    "v1-gzip": {"capture_mode": "v1", "capture_compression": "gzip"},
    "v1-deflate": {"capture_mode": "v1", "capture_compression": "deflate"},
    "v1-zstd": {"capture_mode": "v1", "capture_compression": "zstd"},
}


@pytest.fixture(params=list(WIRES.values()), ids=list(WIRES))
def wire(request):
    return request.param | {"flush_interval": 0.05}  # seconds that a shutdown may wait


@contextmanager
def posthog(server, key="", **options):
    """Yield a client; at the end, deliver and store what it captured."""
    client = Posthog(key or sdk.key(), host=server, **options)
    try:
        yield client
    finally:
        client.shutdown()
    sdk.ingest()


def person(distinct_id):
    return Person.objects.get(distinct_ids__distinct_id=distinct_id)


def test_each_event_arrives_once(server, wire):
    with posthog(server, flush_at=20, **wire) as client:
        for number in range(70):
            client.capture("used", distinct_id=f"p{number % 7}", properties={"n": number})
    numbers = sorted(event.properties["n"] for event in Event.objects.all())
    assert (numbers, totals()[EventOutcome.STORED]) == (list(range(70)), 70)


def test_s01_what_the_sdk_sends_with_a_server_key_is_proved(server, wire):
    with posthog(server, key=sdk.server_key(), **wire) as client:
        client.set(distinct_id="ada", properties={"email": "ada@example.com"})
        client.capture("used", distinct_id="ada")
    with posthog(server, **wire) as client:
        client.set(distinct_id="ada", properties={"email": "eve@example.com"})
    assert person("ada").proved == person("ada").properties == {"email": "ada@example.com"}
    assert Event.objects.filter(proved=True).count() == 2


def test_set_set_once_and_unset_change_the_profile(server, wire):
    with posthog(server, **wire) as client:
        client.set(distinct_id="ada", properties={"plan": "free", "trial": True})
        client.set_once(distinct_id="ada", properties={"plan": "gone", "source": "ad"})
        client.set(distinct_id="ada", properties={"plan": "pro"})
        client.capture("converted", distinct_id="ada", properties={"$unset": ["trial"]})
    assert person("ada").properties == {"plan": "pro", "source": "ad"}


def test_alias_joins_the_second_id_into_the_person_of_the_first(server, wire):
    with posthog(server, **wire) as client:
        client.capture("used", distinct_id="visitor")
        client.capture("signed_up", distinct_id="ada")
        client.alias(previous_id="visitor", distinct_id="ada")
    journal = PersonMerge.objects.get()
    assert (journal.result, journal.distinct_id, journal.other_id) == ("merged", "visitor", "ada")
    assert person("visitor") == person("ada")


def test_an_exception_arrives_with_its_stack(server, wire):
    with posthog(server, **wire) as client:
        try:
            raise ValueError("out of ink")  # noqa: TRY301
        except ValueError as error:
            client.capture_exception(error, distinct_id="ada")
    (exception,) = Event.objects.get(event="$exception").properties["$exception_list"]
    assert (exception["type"], exception["value"]) == ("ValueError", "out of ink")
    assert exception["stacktrace"]["frames"]


def test_a_group_keeps_its_latest_properties(server, wire):
    with posthog(server, **wire) as client:
        client.group_identify("company", "acme", {"seats": 3, "plan": "free"})
        client.group_identify("company", "acme", {"plan": "pro"})
        client.capture("used", distinct_id="ada", groups={"company": "acme"})
    group = Group.objects.get(group_type="company", group_key="acme")
    assert group.properties == {"seats": 3, "plan": "pro"}
    assert Event.objects.get(event="used").properties["$groups"] == {"company": "acme"}


def test_an_event_without_a_person_is_kept_without_a_profile(server, wire):
    with posthog(server, **wire) as client:
        client.capture("cron_ran")
    assert Event.objects.get().event == "cron_ran"
    assert not Person.objects.get().has_profile


def test_an_event_says_which_library_sent_it(server, wire):
    with posthog(server, **wire) as client:
        client.capture("used", distinct_id="ada")
    assert Event.objects.get().properties["$lib"] == "posthog-python"


def test_a_language_model_event_arrives(server, wire):
    with posthog(server, **wire) as client:
        client.capture_ai("$ai_generation", distinct_id="ada", properties={"$ai_model": "m"})
    assert Event.objects.get().properties["$ai_model"] == "m"


def test_evaluating_flags_gives_none_and_is_not_an_error(server):
    with posthog(server) as client:
        decision = client.get_flags_decision(distinct_id="ada")
        enabled = client.evaluate_flags("ada").is_enabled("beta")
    assert (decision["flags"], decision["errorsWhileComputingFlags"], enabled) == ({}, False, False)


def test_p04_an_alias_in_parameter_order_is_refused_once_the_second_id_is_identified(server):
    sdk.post("/e/", {"api_key": sdk.key(), "event": "$identify", "distinct_id": "ada"})
    with posthog(server) as client:
        client.capture("used", distinct_id="visitor")
        client.alias(previous_id="visitor", distinct_id="ada")
    assert PersonMerge.objects.get().result == "cannot_merge_already_identified"
    with posthog(server) as client:
        client.alias(previous_id="ada", distinct_id="visitor")
    assert person("visitor") == person("ada")
