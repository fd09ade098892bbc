"""Which persons exclusion rules match, and by what value.

Of a protected person only what is proved decides: everyone can claim anything about anyone.
"""

from collections.abc import Iterable

import msgspec
from django.db.models import (
    Case,
    Exists,
    F,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, JSONObject, Left

from analytics.models import DistinctId, ExclusionRule
from analytics.models.person import is_protected

LONGEST_VALUE = 200


def matches(rule: ExclusionRule) -> Q:
    """Return the condition that a rule matches a person.

    A proved value is always the one in effect, so that the conditions on `properties`, which are
    indexed, hold for proved values, too.
    """
    if rule.property_name:
        value = {rule.property_name: rule.property_value}
        return Q(properties__contains=value) & (Q(proved__contains=value) | ~_protected())
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
        return f"e-mail addresses at {rule.email_domain}"
    return f"{rule.property_name} = {msgspec.json.encode(rule.property_value).decode()}"


def _protected() -> Q:
    return Q(is_protected("pk"))


def _email_matches(rule: ExclusionRule) -> Q:
    address = f"@{rule.email_domain}"
    is_proved = Q(proved__email__iendswith=address)
    return Q(properties__email__iendswith=address) & (is_proved | ~_protected())


def _ids_matching(rule: ExclusionRule) -> QuerySet[DistinctId]:
    ids = DistinctId.objects.filter(
        person=OuterRef("pk"), distinct_id__iendswith=f"@{rule.email_domain}"
    )
    return ids.filter(Q(proved=True) | ~Q(is_protected("person_id")))


def _matched_value(rule: ExclusionRule) -> Left:
    """Return an expression: the address or the property with its value, cut."""
    if rule.property_name:
        return Left(Value(in_words(rule)), LONGEST_VALUE)
    email = Case(When(_email_matches(rule), then=KeyTextTransform("email", "properties")))
    distinct_id = Subquery(_ids_matching(rule).order_by("pk").values("pk")[:1])
    return Left(Coalesce(email, distinct_id, output_field=TextField()), LONGEST_VALUE)
