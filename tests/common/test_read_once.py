from common.read_once import read_once, reading_together

asked = []


@read_once
def twice(number, *, plus=0):
    asked.append(number)
    return 2 * number + plus


def test_in_a_block_the_same_question_is_asked_once():
    asked.clear()
    with reading_together():
        assert [twice(1), twice(2), twice(1), twice(1, plus=1)] == [2, 4, 2, 3]
        with reading_together():
            twice(2)
    assert asked == [1, 2, 1]


def test_after_the_block_it_is_asked_anew():
    asked.clear()
    with reading_together():
        twice(1)
    with reading_together():
        twice(1)
    assert asked == [1, 1]


def test_without_a_block_every_question_is_asked():
    asked.clear()
    twice(1)
    twice(1)
    assert asked == [1, 1]
