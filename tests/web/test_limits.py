"""Deadlines and rates, and who is closed when there are too many connections."""

import pytest

from web.exchange import Incoming
from web.limits import Limits, Pace
from web.waiting import Waiting

LIMITS = Limits(waiting_per_address=3, connections=4, memory=1000)


class Client:
    def __init__(self, waiting, address="a", held=0):
        self.waiting, self.address, self.held, self.is_closed = waiting, address, held, False

    def check(self, now):
        """Time plays no part here."""

    def give_up(self):
        self.is_closed = True
        self.waiting.remove(self)


def waiting_clients(*addresses: str, held=None):
    """Return clients in the order in which they began to wait."""
    waiting = Waiting(LIMITS)
    clients = [Client(waiting, address) for address in addresses]
    for client, size in zip(clients, held or [0] * len(clients), strict=True):
        client.held = size
        waiting.add(client)
    return waiting, clients


def incoming(*, received=0, has_head=True):
    """Return a request that began at 0."""
    return Incoming(0, Pace(0), {}, has_head=has_head, size=received)


@pytest.mark.parametrize(
    ("received", "seconds", "overdue"),
    [
        (1, 9, False),  # the grace
        (1, 11, True),
        (10_000, 11, True),
        (11_000, 11, False),
        (20_000_000, 59, False),
        (20_000_000, 61, True),
    ],
)
def test_s04_a_body_has_a_minimum_rate_after_a_grace_and_a_deadline(received, seconds, overdue):
    assert incoming(received=received).is_overdue(seconds, Limits()) == overdue


def test_s04_what_was_fast_at_first_and_stops_is_too_slow():
    request = incoming(received=1_000_000)
    assert not request.is_overdue(11, Limits())
    assert not request.is_overdue(20, Limits())
    assert request.is_overdue(22, Limits())


def test_s04_a_head_has_a_deadline_whatever_its_rate():
    assert not incoming(has_head=False).is_overdue(9, Limits())
    assert incoming(has_head=False).is_overdue(11, Limits())


def test_s04_a_connection_without_a_request_is_closed_before_one_between_two():
    assert Limits().longest_pause(is_new=True) < Limits().longest_pause(is_new=False)


def test_s04_the_oldest_of_an_address_goes_when_that_has_too_many():
    _, clients = waiting_clients("b", "a", "a", "a", "a", "b")
    assert [client.is_closed for client in clients] == [False, True, False, False, False, False]


def test_s04_a_connection_that_waits_no_more_does_not_count():
    waiting, clients = waiting_clients("a", "a", "a")
    waiting.remove(clients[0])
    waiting.remove(clients[0])  # a second time changes nothing
    waiting.add(Client(waiting))
    assert not any(client.is_closed for client in clients)


def test_s04_a_connection_that_waits_again_is_the_newest():
    waiting, clients = waiting_clients("a", "b")
    waiting.add(clients[0])
    waiting.make_room(5)
    assert [client.is_closed for client in clients] == [False, True]


def test_s04_the_oldest_of_all_goes_when_the_process_has_too_many():
    waiting, clients = waiting_clients("a", "b", "c")
    waiting.make_room(4)
    assert not any(client.is_closed for client in clients)
    waiting.make_room(5)
    assert [client.is_closed for client in clients] == [True, False, False]


def test_s04_the_largest_goes_when_memory_is_short():
    waiting, clients = waiting_clients("a", "b", "c", held=[300, 500, 300])
    waiting.free_memory(1000)
    assert not any(client.is_closed for client in clients)
    waiting.free_memory(1100)
    assert [client.is_closed for client in clients] == [False, True, False]
