"""The capture endpoints: what PostHog's SDKs post to. Any origin, no cookies, no redirects."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from analytics import capture
from analytics.calculations.wire import Refused, TooLarge

CAPTURE_PATHS = r"^(?:e|i/v0/e|capture|batch)/?$"


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
def capture_events(request: HttpRequest) -> HttpResponse:
    """Answer 200 ``{"status": 1}`` once the request is committed to the inbox.

    Otherwise 400 for what is unusable, 401 for a key that is not in use, 413 beyond 20 MB.
    """
    response = _answer(request) if request.method == "POST" else HttpResponse(status=204)
    if origin := request.headers.get("Origin"):
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Credentials"] = "true"
        response["Access-Control-Allow-Headers"] = request.headers.get(
            "Access-Control-Request-Headers", "Content-Type"
        )
        response["Vary"] = "Origin"
    return response


def _answer(request: HttpRequest) -> JsonResponse:
    try:
        capture.accept(
            request.body, content_type=request.content_type or "", received_at=timezone.now()
        )
    except Refused as error:
        return JsonResponse({"status": 0, "error": error.detail}, status=400)
    except capture.UnknownKey:
        return JsonResponse({"status": 0, "error": "api_key: unknown or revoked"}, status=401)
    except (TooLarge, RequestDataTooBig):
        return JsonResponse({"status": 0, "error": "body: larger than 20 MB"}, status=413)
    return JsonResponse({"status": 1})
