"""GET /api/operational/system-health: the health of every component."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import STAFF_ONLY
from common.api.endpoint import Endpoint
from common.calculations.health import Health
from operational.health.system_health import system_health


class ComponentSerializer(serializers.Serializer):
    name = serializers.CharField()
    health = serializers.ChoiceField(choices=[*Health], help_text="off: not set up")
    detail = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True, help_text="When it became unhealthy")
    remedy = serializers.CharField()


class SystemHealthSerializer(serializers.Serializer):
    now = serializers.DateTimeField()
    health = serializers.ChoiceField(choices=[*Health], help_text="The worst of all components")
    components = ComponentSerializer(many=True)


class SystemHealthView(Endpoint):
    """The health of every component, when it became unhealthy, and the remedy."""

    permission_classes = STAFF_ONLY
    required_permission = "operational.view_heartbeat"

    @extend_schema(operation_id="operational_system_health", responses=SystemHealthSerializer)
    def get(self, _request: Request) -> Response:
        return Response(SystemHealthSerializer(system_health(timezone.now())).data)
