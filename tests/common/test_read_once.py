from common.read_once import read_once, reading_together

calls: list[int] = []


@read_once
def twice(number, *, plus=0):
    calls.append(number)
    return 2 * number + plus


def test_in_a_block_the_same_call_is_made_once():
    calls.clear()
    with reading_together():
        assert [twice(1), twice(2), twice(1), twice(1, plus=1)] == [2, 4, 2, 3]
        with reading_together():
            twice(2)
    assert calls == [1, 2, 1]


def test_the_next_block_calls_again():
    calls.clear()
    with reading_together():
        twice(1)
    with reading_together():
        twice(1)
    assert calls == [1, 1]


def test_without_a_block_every_call_is_made():
    calls.clear()
    twice(1)
    twice(1)
    assert calls == [1, 1]
