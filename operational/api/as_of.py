"""The day that a request is about."""

from datetime import date

from rest_framework import serializers
from rest_framework.request import Request

from analytics.api.parameters import CompleteDayField
from analytics.rollups import definitions


class KpiDayQuery(serializers.Serializer):
    """Query parameters of a response about a day."""

    as_of = CompleteDayField(required=False)


def requested_day(request: Request) -> date:
    query = KpiDayQuery(data=request.query_params.dict())
    query.is_valid(raise_exception=True)
    day: date | None = query.validated_data.get("as_of")
    return day or definitions.last_complete_day()
