"""The page of a person, and the pages that merge or exclude one."""

from collections.abc import Collection
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST
from rest_framework.exceptions import ValidationError as BadQuery

from analytics.api.events import EventsQuery
from analytics.api.parameters import parsed
from analytics.extension_points import person_links
from analytics.insights.events import page_of_events
from analytics.models import Person
from analytics.people import addresses, exclusions, manual_merging, persons
from analytics.people.exclusions import ExclusionEffect
from analytics.rollups import definitions
from common.admin.model_admin import row_number
from common.api.pagination import next_page
from common.formatting import counted

MAX_MERGES = 20
CHANGE_PERSON = "analytics.change_person"


def may_change(request: HttpRequest) -> bool:
    """Whether the user may merge and exclude persons."""
    return bool(request.user.has_perm(CHANGE_PERSON))


def person(request: HttpRequest, person: Person) -> HttpResponse:
    """Show a person to staff who may see persons (checked by `PersonAdmin`)."""
    parameters = request.GET
    try:
        query = parsed(EventsQuery, parameters)
    except BadQuery:  # a cursor that was tampered with
        parameters = QueryDict()
        query = parsed(EventsQuery, parameters)
    timeline = page_of_events(**query, person=person)
    merges = list(persons.merges_of(person)[: MAX_MERGES + 1])
    ids = person.distinct_ids.all()
    return page(
        request,
        "person",
        title="Person",
        person=person,
        address=addresses.address_of(person),
        distinct_ids=sorted(row.distinct_id for row in ids),
        proved_ids={row.distinct_id for row in ids if row.proved},
        properties=persons.properties_of(person),
        activity=persons.activity(person),
        groups=persons.groups_of(person),
        rules=exclusions.rules_about(person),
        exclusion=person.exclusions.filter(ended_at=None).first(),
        decision=_decision(person) if person.excluded_by_hand is not None else None,
        merges=merges[:MAX_MERGES],
        more_merges=len(merges) > MAX_MERGES,
        may_change=may_change(request),
        links=person_links,
        events=timeline.events,
        next=next_page(parameters, *timeline.end.cursor) if timeline.end else None,
        values=request.GET,
    )


def merge(request: HttpRequest, person: Person) -> HttpResponse:
    """Preview merging another person into this one, and merge it when confirmed."""
    distinct_id = (request.POST or request.GET).get("distinct_id", "").strip()
    context: dict[str, Any] = {"person": person, "values": distinct_id}
    try:
        if request.method == "POST":
            other_id = row_number(request.POST.get("other", ""))
            by = request.user.get_username()
            line = manual_merging.merge(person.pk, distinct_id, other_id=other_id, by=by)
            messages.success(request, f"“{line.other_id}” was merged into this person.")
            return redirect("admin:analytics_person_change", person.pk)
        if "distinct_id" in request.GET:
            context["preview"] = manual_merging.preview(person, distinct_id)
    except ValidationError as error:
        context["errors"] = error.messages
    return page(request, "person_merge", title="Merge persons", **context)


@require_POST
def exclusion(request: HttpRequest, person: Person) -> HttpResponse:
    """Exclude a person, or include them again."""
    excluded = request.POST.get("excluded") == "true"
    messages.success(request, decide(request, [person.pk], excluded=excluded))
    return redirect("admin:analytics_person_change", person.pk)


def decide(request: HttpRequest, person_ids: Collection[int], *, excluded: bool) -> str:
    """Exclude or include persons by hand, log who did it, and return a message."""
    effect = exclusions.decide(person_ids, excluded=excluded, by=request.user.get_username())
    decision = "Excluded by hand" if excluded else "Included by hand"
    kind = ContentType.objects.get_for_model(Person)
    LogEntry.objects.bulk_create(
        [
            LogEntry(
                user=cast("User", request.user),
                content_type=kind,
                object_id=str(person_id),
                object_repr=f"person {person_id}",  # the log outlives an erased person
                action_flag=CHANGE,
                change_message=decision,
            )
            for person_id in person_ids
        ]
    )
    return effect_message(effect)


def effect_message(effect: ExclusionEffect) -> str:
    """Return a message with the numbers of persons excluded and included."""
    sentences = [
        f"{counted(persons_changed, 'person')} {change}."
        for persons_changed, change in (
            (effect.excluded, "excluded from all metrics"),
            (effect.counted, "included in all metrics again"),
        )
        if persons_changed
    ]
    return " ".join(sentences) or "No changes."


def page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    """Return an admin page about persons, even where there are no events yet."""
    context = {**admin.site.each_context(request), **shared_context(), **context}
    return TemplateResponse(request, f"admin/analytics/{name}.html", context)


def shared_context() -> dict[str, Any]:
    return {
        "rebuild_needed": definitions.rebuild_needed(),
        "zone": definitions.in_force().time_zone,
    }


def _decision(person: Person) -> LogEntry | None:
    """Return the log entry of the last decision about the person."""
    kind = ContentType.objects.get_for_model(Person)
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(person.pk))
    return entries.select_related("user").first()
