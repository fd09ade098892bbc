"""POST /api/billing/stripe/webhook/<uuid>/: what Stripe tells."""

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.stripe import events, gateway
from common.api.problems import CONTENT_TYPE, problem

# One address for every installation: it is the signature that says whose event it is.
WEBHOOK_ID = UUID("6f1d3c0a-5b7e-4f57-9c1e-7f0c1d2b3a45")


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, endpoint_id: str) -> HttpResponse:
    """Note a signed event and answer; it is applied afterwards, by a worker."""
    if UUID(endpoint_id) != WEBHOOK_ID:
        raise Http404(f"There is no webhook endpoint {endpoint_id}.")
    if not settings.STRIPE_WEBHOOK_SECRETS:
        return _refused(HTTPStatus.SERVICE_UNAVAILABLE, "STRIPE_WEBHOOK_SECRET is not set.")
    try:
        event = gateway.verified(request.body, request.headers.get("Stripe-Signature", ""))
        noted = events.receive(event)
    except (gateway.BadSignature, ValueError) as error:
        return _refused(HTTPStatus.BAD_REQUEST, str(error))
    if noted is not None and noted.due_at is not None:
        events.enqueue(noted.pk)
    return JsonResponse({"received": True, "duplicate": noted is None})


def _refused(status: HTTPStatus, reason: str) -> HttpResponse:
    return JsonResponse(problem(status, reason), status=status, content_type=CONTENT_TYPE)
