"""The two designs, side by side."""

from typing import Any

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.first_design.models import Event


class EventSerializer(serializers.ModelSerializer):
    class Meta:
        model = Event
        fields = ["uuid", "event", "distinct_id", "timestamp", "properties"]


class Capture(APIView):
    """Store the events of a batch. There is only one key, and no person is counted."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def post(self, request: Request) -> Response:
        serializer = EventSerializer(data=request.data["batch"], many=True)
        serializer.is_valid(raise_exception=True)
        self.store(serializer.validated_data)
        return Response({"status": 1})

    def store(self, events: list[dict[str, Any]]) -> None:
        raise NotImplementedError


class CreateEach(Capture):
    def store(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            Event.objects.create(**event)


class BulkCreate(Capture):
    def store(self, events: list[dict[str, Any]]) -> None:
        Event.objects.bulk_create([Event(**event) for event in events])


urlpatterns = [path("create/", CreateEach.as_view()), path("bulk_create/", BulkCreate.as_view())]
