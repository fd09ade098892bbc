"""Events of the same second are ordered by what they say was there before."""

from itertools import permutations

import pytest

from billing.calculations.versions.event_order import in_order, object_before
from tests.billing.stripe_json import event, history, item, price, subscription

SECOND = "2024-02-01T10:00:00"


def seats(number):
    return subscription(item(price(1000), number), quantity=number)


def updated(before, after, event_id):
    """Return the event of a change of seats, with what Stripe sends of the state before."""
    was = seats(before)
    previous = {"items": {"data": was["items"]["data"]}, "quantity": before}
    return event("updated", SECOND, seats(after), event_id=event_id, before=previous)


def final(*events):
    return history(*events).latest[0].items[0].quantity


@pytest.mark.parametrize("ids", ["ab", "ba"])
def test_b07_two_updates_of_a_second_follow_each_other(ids):
    """3 to 2 seats, then 2 to 1, whatever their ids and the order of their arrival."""
    events = [updated(3, 2, f"evt_{ids[0]}"), updated(2, 1, f"evt_{ids[1]}")]
    assert {final(*order) for order in permutations(events)} == {1}


def test_b07_a_longer_chain_is_followed_whatever_the_ids():
    steps = [(3, 5), (5, 2), (2, 7), (7, 4)]
    for ids in permutations("abcd"):
        events = [updated(*step, f"evt_{name}") for step, name in zip(steps, ids, strict=True)]
        assert [e["data"]["object"]["quantity"] for e in in_order(events)] == [5, 2, 7, 4]


def test_b07_there_and_back_again_begins_with_what_was_there_before():
    """3 to 2 and 2 to 3: the event of the day before says which was first."""
    created = event("created", "2024-01-01", seats(3))
    for ids in ("ab", "ba"):
        events = [updated(3, 2, f"evt_{ids[0]}"), updated(2, 3, f"evt_{ids[1]}"), created]
        assert {final(*order) for order in permutations(events)} == {3}


def test_b07_changes_of_different_fields_are_ordered():
    fewer = updated(3, 2, "evt_b")
    ending = seats(2) | {"cancel_at_period_end": True}
    before = {"cancel_at_period_end": False}
    scheduled = event("updated", SECOND, ending, event_id="evt_a", before=before)
    assert in_order([scheduled, fewer]) == [fewer, scheduled]


def test_b07_an_event_without_changes_follows_the_one_it_reports():
    paused = event("paused", SECOND, seats(2), event_id="evt_a")
    assert in_order([paused, fewer := updated(3, 2, "evt_b")]) == [fewer, paused]


def test_b07_of_a_hash_only_what_differed_is_sent():
    now = subscription() | {"pause_collection": {"behavior": "void", "resumes_at": 7}}
    changed = event("updated", SECOND, now, before={"pause_collection": {"resumes_at": 5}})
    assert object_before(changed)["pause_collection"] == {"behavior": "void", "resumes_at": 5}


def test_b07_a_gap_leaves_the_rest_in_order():
    """4 to 3 was lost: what follows the day before comes first."""
    created = event("created", "2024-01-01", seats(5))
    events = [updated(5, 4, "evt_c"), updated(3, 2, "evt_b"), updated(2, 1, "evt_a")]
    assert [e["id"] for e in in_order([created, *events])][1:] == ["evt_c", "evt_b", "evt_a"]


def test_b07_many_updates_of_a_second_are_ordered_without_trying_all_orders():
    events = [updated(number, number + 1, f"evt_{40 - number}") for number in range(40)]
    assert [e["data"]["object"]["quantity"] for e in in_order(events)] == list(range(1, 41))
