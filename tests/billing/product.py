"""A product with limited requests: a urlconf for tests."""

from django.urls import re_path
from rest_framework.response import Response
from rest_framework.views import APIView


class RunWorkflow(APIView):
    required_permission = "billing.add_usagereservation"

    def get(self, _request):
        return Response({"runs": []})

    def post(self, request):
        if request.data.get("crash"):
            raise RuntimeError("A bug of the product")
        return Response({"ran": True}, status=request.data.get("status", 200))


urlpatterns = [re_path("^api/product/run/?$", RunWorkflow.as_view())]
handler500 = "common.api.problems.server_error"
