"""GET and POST /api/growth/retention/suppressions/; POST .../suppressions/<id>/lift/."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.people.addresses import valid_address
from billing.api.fields import TextField
from common.api.endpoint import Endpoint
from common.api.pagination import CursorField, PageFields, PageQuery, next_page, page_link
from growth.calculations.mail.mail_events import SuppressionReason
from growth.models import MailTopic, Suppression
from growth.suppression import suppressions
from growth.suppression.suppressions import NoReason

_SOURCE = "API"
_BY_CALLERS = [SuppressionReason.UNSUBSCRIBED, SuppressionReason.STAFF, SuppressionReason.IMPORT]


class AddressField(TextField):
    def to_internal_value(self, data: Any) -> str:
        address = super().to_internal_value(data)
        if not valid_address(address):
            raise serializers.ValidationError("must be an address such as ada@example.com")
        return address


class TopicField(serializers.SlugRelatedField):
    def __init__(self, **options: Any) -> None:
        super().__init__(slug_field="slug", queryset=MailTopic.objects.all(), **options)


class SuppressionsQuery(PageQuery):
    address = TextField(required=False, max_length=320, help_text="Exactly, in any case.")
    lifted = serializers.BooleanField(default=False, help_text="Also those that were lifted.")
    cursor = CursorField(int)


class SuppressionBody(serializers.Serializer):
    address = AddressField(max_length=320)
    topic = TopicField(required=False, default=None, help_text="By default all of marketing.")
    reason = serializers.ChoiceField(
        [reason.value for reason in _BY_CALLERS], default=SuppressionReason.UNSUBSCRIBED.value
    )


class LiftBody(serializers.Serializer):
    reason = TextField(max_length=500, help_text="Why mail may go to the address again.")


class SuppressionSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    address = serializers.CharField(help_text="Empty: only its hash is kept.")
    topic = serializers.CharField(source="topic.slug", allow_null=True, default=None)
    reason = serializers.ChoiceField([reason.value for reason in SuppressionReason])
    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    detail = serializers.CharField()
    at = serializers.DateTimeField()
    lifted_at = serializers.DateTimeField(allow_null=True)
    lifted_by = serializers.CharField()
    lift_reason = serializers.CharField()


class SuppressionPage(PageFields):
    results = SuppressionSerializer(many=True)


class SuppressionsView(Endpoint):
    """Addresses that must not be mailed."""

    required_permission = {"GET": "growth.view_suppression", "POST": "growth.add_suppression"}
    query_class = {"GET": SuppressionsQuery}
    body_class = {"POST": SuppressionBody}

    @extend_schema(operation_id="growth_suppressions", responses=SuppressionPage)
    def get(self, request: Request) -> Response:
        """Newest first."""
        rows = self._rows()[: self.query["limit"] + 1]
        page = list(rows[: self.query["limit"]])
        following = next_page(request.query_params, page[-1].pk) if len(rows) > len(page) else None
        results = SuppressionSerializer(page, many=True).data
        return Response({"results": results, "next": page_link(request, following)})

    def _rows(self) -> QuerySet[Suppression]:
        rows = Suppression.objects.all()
        if "address" in self.query:
            rows = suppressions.rows_of([self.query["address"]])
        if not self.query["lifted"]:
            rows = rows.filter(lifted_at=None)
        if "cursor" in self.query:
            rows = rows.filter(pk__lt=self.query["cursor"][0])
        return rows.select_related("topic").order_by("-pk")

    @extend_schema(
        operation_id="growth_suppress",
        responses={200: SuppressionSerializer, 201: SuppressionSerializer},
    )
    def post(self, _request: Request) -> Response:
        """Suppress an address; repeating it changes nothing."""
        reason = SuppressionReason(self.body["reason"])
        address, topic = self.body["address"], self.body["topic"]
        is_new = suppressions.add([address], reason, source=_SOURCE, at=timezone.now(), topic=topic)
        rows = suppressions.active_rows_of([address]).filter(reason=reason.value, topic=topic)
        created = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(SuppressionSerializer(rows.latest("pk")).data, status=created)


class LiftView(Endpoint):
    """Allow mail to an address again, with a reason that is kept."""

    required_permission = "growth.change_suppression"
    body_class = LiftBody
    refusals = [HTTPStatus.NOT_FOUND]

    @extend_schema(operation_id="growth_lift_suppression", responses=SuppressionSerializer)
    def post(self, request: Request, pk: int) -> Response:
        rows = Suppression.objects.filter(pk=pk)
        try:
            lifted = suppressions.lift(
                rows, by=request.user.get_username(), reason=self.body["reason"], now=timezone.now()
            )
        except NoReason as error:
            raise serializers.ValidationError({"reason": [str(error)]}) from error
        if not lifted:
            raise Http404("There is no such suppression in force.")
        return Response(SuppressionSerializer(rows.get()).data)
