"""The admin page of a model: the base of every one."""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponseBase
from unfold.admin import ModelAdmin as UnfoldModelAdmin

_MOST_DIGITS = 18  # of a row's number, which is a bigint
_DATE_PARTS = "__year", "__month", "__day"
_YEAR = 4  # digits


class ModelAdmin(UnfoldModelAdmin):
    """Answers as usual to ids that no row can have, where Django and the database would fail."""

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any | None:
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse to filter by rows that refer to the model's, which would fail in the database."""
        referring = {relation.name for relation in self.opts.related_objects}
        is_referring = lookup.split(LOOKUP_SEP, maxsplit=1)[0] in referring
        return not is_referring and bool(super().lookup_allowed(lookup, value, request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Refuse a day that no calendar has, which the links by date would compute with."""
        for name in request.GET:
            value = str(request.GET[name])
            if name.endswith(_DATE_PARTS) and not (value.isdecimal() and len(value) <= _YEAR):
                raise BadRequest(f"{name} must be a number of at most {_YEAR} digits.")
        response: HttpResponseBase = super().changelist_view(request, extra_context)
        return response

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Model]
    ) -> HttpResponseBase | None:
        try:
            for value in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.to_python(value)
        except ValidationError as error:
            raise BadRequest("A selected row does not exist.") from error
        response: HttpResponseBase | None = super().response_action(request, queryset)
        return response


def row_number(object_id: str) -> int:
    """Return the number of a row in an address or form; 0, which no row has, if it cannot be."""
    return int(object_id) if object_id.isdecimal() and len(object_id) <= _MOST_DIGITS else 0
