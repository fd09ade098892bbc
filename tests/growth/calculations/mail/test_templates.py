"""Texts by staff: no gap, no placeholder, no markup from people, no endless rendering (P53)."""

import pytest

from growth.calculations.mail import templates
from growth.calculations.mail.templates import LONGEST_TEMPLATE, NotRenderable, problems, render

GREETING = 'Hi {{ name | default: "there" }}, welcome.'


def texts_of(source, *, available=("name", "plan"), **missing):
    return [
        str(problem) for problem in problems("Body", source, available=available, missing=missing)
    ]


@pytest.mark.parametrize("values", [{}, {"name": None}, {"name": ""}, {"name": " \t"}])
def test_the_fallback_stands_in_for_a_value_that_is_missing_or_blank(values):
    assert render("Body", GREETING, values) == "Hi there, welcome."


def test_a_value_is_used_as_it_is_in_any_script():
    assert render("Body", GREETING, {"name": "Zoë 山田 🎉"}) == "Hi Zoë 山田 🎉, welcome."


@pytest.mark.parametrize("values", [{}, {"name": ""}, {"name": None}])
def test_without_a_fallback_nothing_is_rendered_and_the_line_is_named(values):
    with pytest.raises(NotRenderable, match="Subject, line 2: 'name' is undefined"):
        render("Subject", "Welcome\nHi {{ name }},", values)


def test_zero_and_false_are_values():
    source = "{{ seats }} {{ annual }}"
    assert render("Body", source, {"seats": 0, "annual": False}) == "0 false"


def test_markup_in_a_value_is_text_in_html():
    values = {"name": "<script>x</script>"}
    assert render("Body", GREETING, values, html=True) == (
        "Hi &lt;script&gt;x&lt;/script&gt;, welcome."
    )


def test_a_value_that_is_liquid_is_not_executed():
    assert render("Body", GREETING, {"name": "{{ plan }}"}) == "Hi {{ plan }}, welcome."


def test_saving_counts_the_persons_without_a_value():
    assert texts_of("Welcome\nHi {{ name }},", name=412) == [
        "Body, line 2: 412 persons lack `name`, and no fallback is set"
    ]
    assert texts_of("Hi {{ name }},", name=1) == [
        "Body, line 1: 1 person lacks `name`, and no fallback is set"
    ]


@pytest.mark.parametrize(
    "source", [GREETING, "{% if name %}Hi {{ name }}, {% endif %}welcome.", "Welcome."]
)
def test_a_fallback_or_a_condition_is_enough(source):
    assert texts_of(source, name=412) == []


def test_a_fallback_that_leaves_a_gap_is_a_problem():
    assert texts_of("Hi {{ name | default: '' }}, welcome.", name=412) == [
        "Body, line 1: 412 persons lack `name`, and the fallback leaves a gap"
    ]


def test_a_variable_that_all_persons_have_needs_no_fallback():
    assert texts_of("Hi {{ name }},", name=0) == []


def test_a_variable_that_the_trigger_lacks_is_named_with_its_line():
    assert texts_of("Hi\n{{ trial.ends }}") == [
        "Body, line 2: `trial.ends` is not available in this campaign"
    ]


def test_variables_made_in_the_text_are_not_read_from_people():
    assert templates.variables("{% assign x = name %}{{ x }}{{ trial.ends }}") == [
        "name",
        "trial.ends",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "Hi\n{{ name | nosuchfilter }}",
        "Hi\n{% include 'x' %}",
        "Hi\n{% nosuchtag %}",
    ],
)
def test_what_cannot_be_read_is_a_problem_with_its_line(source):
    (problem,) = problems("Body", source, available=["name"], missing={})
    assert (problem.field, problem.line) == ("Body", 2)


def test_a_block_that_is_not_closed_is_a_problem():
    (problem,) = texts_of("Hi\n{% if name %}")
    assert "endif" in problem


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..100000) %}{% endfor %}",
        "{% for i in (1..900) %}" + "x" * 300 + "{% endfor %}",
        "{% for i in (1..40) %}{% for j in (1..40) %}{{ j }}{% endfor %}{% endfor %}",
    ],
)
def test_a_text_that_would_run_on_is_refused(source):
    assert len(problems("Body", source, available=[], missing={})) == 1
    with pytest.raises(NotRenderable):
        render("Body", source, {})


def test_a_text_may_be_as_long_as_the_limit_and_not_longer():
    assert texts_of("x" * LONGEST_TEMPLATE) == []
    assert texts_of("x" * (LONGEST_TEMPLATE + 1)) == ["Body: is longer than 50,000 characters"]


@pytest.mark.parametrize("calculation", ["round", "ceil", "times: 2", "upcase", "size"])
def test_a_missing_value_is_not_zero_in_a_calculation(calculation):
    source = "You have {{ seats | " + calculation + " }} seats."
    with pytest.raises(NotRenderable, match="'seats' is undefined"):
        render("Body", source, {})
    assert len(texts_of(source, available=["seats"], seats=3)) == 1


@pytest.mark.parametrize(
    "output",
    [
        "'9999999999999' | date: '%Y'",
        "'inf' | ceil",
        "'nan' | round",
        "(1..99999999) | join: ''",
        "(1..3) | concat: (1..99999999) | size",
    ],
)
def test_a_filter_that_fails_or_would_never_end_is_a_problem_with_its_line(output):
    source = "Hi\n{{ " + output + " }}"
    (problem,) = problems("Body", source, available=[], missing={})
    assert problem.line == 2
    with pytest.raises(NotRenderable):
        render("Body", source, {})
