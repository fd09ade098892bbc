"""GET /api/schema/: the OpenAPI schema."""

from drf_spectacular.views import SpectacularAPIView

from common.api.access import ANY_USER, HasRequiredPermission
from common.api.endpoint import Endpoint


class SchemaView(Endpoint, SpectacularAPIView):
    permission_classes = [HasRequiredPermission]
    required_permission = ANY_USER
