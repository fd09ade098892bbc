"""GET, PUT and DELETE /api/growth/spend/: marketing and sales spend by channel, campaign, day."""

from dataclasses import replace
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.parameters import DayField
from billing.api.fields import TextField, WholeNumberField
from billing.revenue import settings as revenue_settings
from common.api.endpoint import Endpoint
from common.api.pagination import CursorField, PageFields, PageQuery, next_page, page_link
from common.api.unusable import unusable_fields
from growth.calculations.spend.channels import LONGEST_CHANNEL, normalized
from growth.calculations.spend.lines import (
    LONGEST_CAMPAIGN,
    SpendLine,
    SpendLineError,
    overlaps,
    too_many,
)
from growth.models import SpendDay
from growth.spend import aliases, recording

MOST_ROWS = 1000


class ChannelField(TextField):
    """A channel by any of its names."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_CHANNEL, **options)

    def to_internal_value(self, data: Any) -> str:
        name = normalized(super().to_internal_value(data))
        return aliases.channels().get(name, name)


class DaysQuery(serializers.Serializer):
    """The channel and the days, both ends included."""

    channel = ChannelField(help_text="By any of its names.")
    to = DayField(source="last", help_text="The last day, included.")

    def get_fields(self) -> dict[str, serializers.Field]:
        first = DayField(source="first", help_text="The first day, included.")
        return super().get_fields() | {"from": first}


class DeleteQuery(DaysQuery):
    campaign = TextField(
        required=False,
        allow_blank=True,
        max_length=LONGEST_CAMPAIGN,
        help_text="By default every campaign.",
    )


class ListQuery(PageQuery):
    cursor = CursorField(int)
    channel = ChannelField(required=False, help_text="By any of its names.")
    to = DayField(required=False, source="last", help_text="The last day, included.")

    def get_fields(self) -> dict[str, serializers.Field]:
        first = DayField(required=False, source="first", help_text="The first day, included.")
        return super().get_fields() | {"from": first}


class SpendRow(serializers.Serializer):
    channel = ChannelField()
    campaign = TextField(required=False, default="", allow_blank=True)
    day = DayField(required=False, help_text="Either a day, or from and to.")
    to = DayField(required=False, source="last")
    amount = WholeNumberField(help_text="In minor units, of the whole range; 0: nothing was spent.")
    currency = serializers.CharField(required=False, help_text="By default the reporting currency.")

    def get_fields(self) -> dict[str, serializers.Field]:
        return super().get_fields() | {"from": DayField(required=False, source="first")}

    def to_internal_value(self, data: Any) -> Any:
        if errors := unusable_fields(data, self.fields):
            raise serializers.ValidationError(errors)
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        days = [attrs[name] for name in ("day", "first", "last") if name in attrs]
        if len(days) != (1 if "day" in attrs else 2):
            raise serializers.ValidationError({"day": "Name either day, or from and to."})
        currency = attrs.get("currency") or revenue_settings.currency_in_force()
        try:
            line = SpendLine(
                channel=attrs["channel"],
                campaign=attrs["campaign"].strip(),
                first=days[0],
                last=days[-1],
                amount=attrs["amount"],
                currency=currency.strip().lower(),
            )
        except SpendLineError as error:
            raise serializers.ValidationError(str(error)) from error
        return {"line": line}


class SpendBody(serializers.Serializer):
    rows = serializers.ListField(child=SpendRow(), allow_empty=False, max_length=MOST_ROWS)

    def validate_rows(self, rows: list[dict[str, Any]]) -> list[SpendLine]:
        lines = [replace(row["line"], number=number) for number, row in enumerate(rows, 1)]
        problems = [f"row {number}, {text}" for number, text in overlaps(lines).items()]
        if problem := too_many(lines):
            problems.append(problem)
        if problems:
            raise serializers.ValidationError(problems)
        return lines


class SpendSerializer(serializers.ModelSerializer):
    reported = serializers.IntegerField(
        allow_null=True, help_text="In minor units of reporting_currency; null: no exchange rate."
    )
    reporting_currency = serializers.CharField(source="into")

    class Meta:
        model = SpendDay
        fields = ["channel", "campaign", "day", "amount", "currency", "reported"]
        fields += ["reporting_currency", "fx_rate", "updated_at"]


class SpendPage(PageFields):
    results = SpendSerializer(many=True)


class ReplacedSerializer(serializers.Serializer):
    channel = serializers.CharField(source="after.channel")
    campaign = serializers.CharField(source="after.campaign")
    day = serializers.DateField(source="after.day")
    amount_before = serializers.IntegerField(source="before.amount")
    currency_before = serializers.CharField(source="before.currency")
    amount = serializers.IntegerField(source="after.amount")
    currency = serializers.CharField(source="after.currency")


class ChangesSerializer(serializers.Serializer):
    """What a request changed, in days."""

    added = serializers.SerializerMethodField()
    replaced = ReplacedSerializer(many=True)
    converted = serializers.SerializerMethodField(
        help_text="Days that had no exchange rate before."
    )
    unchanged = serializers.IntegerField()
    held_currencies = serializers.ListField(
        source="held", child=serializers.CharField(), help_text="Without a rate: not counted yet."
    )

    def get_added(self, changes: recording.Changes) -> int:
        return len(changes.added)

    def get_converted(self, changes: recording.Changes) -> int:
        return len(changes.converted)


class DeletedSerializer(serializers.Serializer):
    deleted = serializers.IntegerField(help_text="Days of a campaign.")


class SpendView(Endpoint):
    """Spend by channel, campaign and day. Amounts are minor units."""

    required_permission = {
        "GET": "growth.view_spendday",
        "PUT": "growth.change_spendday",
        "DELETE": "growth.delete_spendday",
    }
    query_class = {"GET": ListQuery, "DELETE": DeleteQuery}
    body_class = {"PUT": SpendBody}

    @extend_schema(operation_id="growth_spend", responses=SpendPage)
    def get(self, request: Request) -> Response:
        """Return the newest entries first."""
        query, rows = self.query, SpendDay.objects.order_by("-pk")
        for name, lookup in (("first", "day__gte"), ("last", "day__lte"), ("channel", "channel")):
            if name in query:
                rows = rows.filter(**{lookup: query[name]})
        if "cursor" in query:
            rows = rows.filter(pk__lt=query["cursor"][0])
        page = list(rows[: query["limit"] + 1])
        results = page[: query["limit"]]
        more = next_page(request.query_params, results[-1].pk) if page[len(results) :] else None
        return Response(SpendPage({"next": page_link(request, more), "results": results}).data)

    @extend_schema(operation_id="growth_put_spend", responses=ChangesSerializer)
    def put(self, _request: Request) -> Response:
        """Store rows; the same request again changes nothing. A range is spread over its days."""
        changes = recording.save(self.body["rows"], now=timezone.now())
        return Response(ChangesSerializer(changes).data)

    @extend_schema(operation_id="growth_delete_spend", responses={200: DeletedSerializer})
    def delete(self, _request: Request) -> Response:
        """Delete the spend of a channel on some days: they are not covered any more."""
        return Response(DeletedSerializer({"deleted": recording.delete(**self.query)}).data)
