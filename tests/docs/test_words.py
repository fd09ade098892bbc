"""Nothing is written in the words that docs/words.md asks to avoid."""

import pytest

from tests.docs.words import ALLOWED, avoided_phrases, forbidden_names, tracked_texts


def uses(check):
    return [
        f"{path}:{line}: {word}"
        for path, text in tracked_texts()
        for line, word in check(path, text)
        if word not in ALLOWED.get(path, ())
    ]


def test_no_name_is_on_the_list():
    assert uses(forbidden_names) == [], "See docs/words.md"


def test_no_text_has_a_phrase_that_is_on_the_list():
    assert uses(lambda _, text: avoided_phrases(text)) == [], "See docs/words.md"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# the database\n# is away", [(2, "is away")]),
        ('"It is " "no address"', [(1, "is no")]),
        ("def test_nobody_is_asked(): ...", [(1, "nobody")]),
        ("That is it. No report.", []),
        ("There is no event; it is no longer there.", []),
    ],
)
def test_a_phrase_counts_across_lines_and_quotes_but_not_across_sentences(text, expected):
    assert avoided_phrases(text) == expected


@pytest.mark.parametrize(
    "source", ["for one in rows: ...", "def f(*, of): ...", "self._known = 1", "class Found: ..."]
)
def test_a_name_is_seen_wherever_it_is_defined(source):
    assert len(forbidden_names("module.py", source)) == 1
