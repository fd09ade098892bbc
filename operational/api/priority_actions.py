"""GET /api/operational/priority-actions: what should be done next, the top priority first."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import STAFF_ONLY
from common.api.endpoint import Endpoint
from operational.actions import priority_actions
from operational.calculations.kpi import Severity
from operational.models import ActionState, PriorityAction


class PriorityActionSerializer(serializers.ModelSerializer):
    severity = serializers.ChoiceField(choices=[*Severity])
    action_state = serializers.ChoiceField(source="state", choices=ActionState.choices)
    owner = serializers.CharField(source="owner.username", default=None, allow_null=True)
    recoverable = serializers.FloatField(help_text="Recoverable points of the score")

    class Meta:
        model = PriorityAction
        fields = [
            *("id", "kind", "subject", "title", "detail", "severity", "points_lost", "reach"),
            *("recoverable", "people", "action_state", "owner", "due", "opened_at", "refreshed_at"),
        ]


class PriorityActionsSerializer(serializers.Serializer):
    actions = PriorityActionSerializer(many=True)


class PriorityActionsView(Endpoint):
    """What should be done next, the top priority first; refreshed every hour."""

    permission_classes = STAFF_ONLY
    required_permission = "operational.view_priorityaction"

    @extend_schema(operation_id="operational_priority_actions", responses=PriorityActionsSerializer)
    def get(self, _request: Request) -> Response:
        if not PriorityAction.objects.exists():
            priority_actions.refresh(now=timezone.now())
        return Response(PriorityActionsSerializer({"actions": priority_actions.active()}).data)
