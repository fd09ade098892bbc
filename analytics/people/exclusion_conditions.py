"""Which persons exclusion rules match, and by what value.

Of a protected person only what is proved decides: everyone can claim anything about anyone.
"""

from collections.abc import Iterable
from typing import cast

import msgspec
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    F,
    Func,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce, Concat, JSONObject, Left

from analytics.calculations.people.rule_patterns import Scalar, domain_pattern, path_of_value
from analytics.models import DistinctId, ExclusionRule
from analytics.models.person import is_protected

LONGEST_VALUE = 200


class PathExists(Func):
    """Whether an SQL/JSON path exists in a JSON document; false where it cannot be followed."""

    template = "(%(expressions)s::jsonpath)"
    arg_joiner = " @? "
    output_field = BooleanField()


def matches(rule: ExclusionRule) -> Q:
    """Return the condition that a rule matches a person.

    A proved value is always the one in effect, so that the conditions on `properties` hold for
    proved values, too.
    """
    if rule.property_name:
        path = path_of_value(rule.property_name, cast("Scalar", rule.property_value))
        is_proved = Q(PathExists("proved", Value(path)))
        return Q(PathExists("properties", Value(path))) & (is_proved | ~_protected())
    return _email_matches(rule) | Q(Exists(_ids_matching(rule)))


def matched_by_any(rules: Iterable[ExclusionRule]) -> Q:
    condition = Q(pk__in=[])
    for rule in rules:
        condition |= matches(rule)
    return condition


def first_match(rules: Iterable[ExclusionRule]) -> Case:
    """Return an expression: the first matching rule's name and the matched value; else null."""
    cases = [
        When(matches(rule), then=JSONObject(rule=Value(rule.name), value=_matched_value(rule)))
        for rule in rules
    ]
    return Case(*cases, default=Value(None, JSONField()), output_field=JSONField())


def should_be_excluded(rules: Iterable[ExclusionRule]) -> Coalesce:
    """Return an expression: what staff decided about a person, or else whether a rule matches."""
    by_rule = Case(When(matched_by_any(rules), then=Value(True)), default=Value(False))
    return Coalesce(F("excluded_by_hand"), by_rule)


def in_words(rule: ExclusionRule) -> str:
    """Return the condition of a rule in words."""
    if rule.email_domain:
        subdomains = " and its subdomains" if rule.with_subdomains else ""
        return f"e-mail addresses at {rule.email_domain}{subdomains}"
    return f"{rule.property_name} = {msgspec.json.encode(rule.property_value).decode()}"


def _protected() -> Q:
    return Q(is_protected("pk"))


def _email_matches(rule: ExclusionRule) -> Q:
    address = _pattern(rule)
    is_proved = Q(proved__email__iregex=address)
    return Q(properties__email__iregex=address) & (is_proved | ~_protected())


def _ids_matching(rule: ExclusionRule) -> QuerySet[DistinctId]:
    ids = DistinctId.objects.filter(person=OuterRef("pk"), distinct_id__iregex=_pattern(rule))
    return ids.filter(Q(proved=True) | ~Q(is_protected("person_id")))


def _pattern(rule: ExclusionRule) -> str:
    return domain_pattern(rule.email_domain, with_subdomains=rule.with_subdomains)


def _matched_value(rule: ExclusionRule) -> Left:
    """Return an expression: the address or the property with its value, cut."""
    if rule.property_name:
        value = Cast(KeyTransform(rule.property_name, "properties"), TextField())
        return Left(Concat(Value(f"{rule.property_name} = "), value), LONGEST_VALUE)
    email = Case(When(_email_matches(rule), then=KeyTextTransform("email", "properties")))
    distinct_id = Subquery(_ids_matching(rule).order_by("pk").values("pk")[:1])
    return Left(Coalesce(email, distinct_id, output_field=TextField()), LONGEST_VALUE)
