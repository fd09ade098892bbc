"""POST /api/billing/stripe/webhook/<uuid>/: events from Stripe."""

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.stripe import events, gateway
from common.api.problems import CONTENT_TYPE, problem

# The same address for every installation: the signature authenticates an event.
WEBHOOK_ID = UUID("6f1d3c0a-5b7e-4f57-9c1e-7f0c1d2b3a45")


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, endpoint_id: str) -> HttpResponse:
    """Store a signed event and respond; a worker applies it afterwards."""
    if UUID(endpoint_id) != WEBHOOK_ID:
        raise Http404(f"Webhook endpoint {endpoint_id} does not exist.")
    if not settings.STRIPE_WEBHOOK_SECRETS:
        return _refused(HTTPStatus.SERVICE_UNAVAILABLE, "STRIPE_WEBHOOK_SECRET is not set.")
    try:
        event = gateway.verified(request.body, request.headers.get("Stripe-Signature", ""))
        received = events.receive(event)
    except (gateway.BadSignature, ValueError) as error:
        return _refused(HTTPStatus.BAD_REQUEST, str(error))
    if received is not None and received.due_at is not None:
        events.enqueue(received.pk)
    return JsonResponse({"received": True, "duplicate": received is None})


def _refused(status: HTTPStatus, reason: str) -> HttpResponse:
    return JsonResponse(problem(status, reason), status=status, content_type=CONTENT_TYPE)
