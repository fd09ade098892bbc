"""Payment intents, charges and refunds."""

from devstack.fake_stripe.errors import StripeError, missing
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import Params, choice, metadata, natural, text
from devstack.fake_stripe.protocol.routes import readable, route
from devstack.fake_stripe.state import StripeState

_DECLINED = {"code": "card_declined", "decline_code": "generic_decline", "type": "card_error"}
_DECLINED["message"] = "Your card was declined."
_NO_METHOD = {"code": "payment_intent_unexpected_state", "type": "invalid_request_error"}
_NO_METHOD["message"] = "The customer has no payment method."


def new_intent(
    state: StripeState, amount: int, currency: str, customer: str | None, description: str
) -> Object:
    fields: Object = dict.fromkeys(("application", "canceled_at", "cancellation_reason"))
    fields |= dict.fromkeys(("last_payment_error", "latest_charge", "next_action", "on_behalf_of"))
    fields |= dict.fromkeys(("payment_method", "receipt_email", "setup_future_usage", "shipping"))
    fields |= {"amount": amount, "amount_capturable": 0, "amount_received": 0}
    fields |= {"capture_method": "automatic", "confirmation_method": "automatic"}
    fields |= {"client_secret": state.new_id("secret"), "currency": currency, "customer": customer}
    fields |= {"description": description, "payment_method_types": ["card"]}
    fields |= {"payment_method_options": {}, "status": "requires_payment_method"}
    intent = state.new("payment_intent", "pi", fields)
    state.emit("payment_intent.created", intent)
    return intent


def confirm(state: StripeState, intent: Object, method: Object | None) -> bool:
    """Charge the payment method; return whether it succeeded. Without one there is no charge."""
    if method is None:
        intent["last_payment_error"] = dict(_NO_METHOD)
        state.emit("payment_intent.payment_failed", intent)
        return False
    succeeds = not method["_declines"]
    charge = _new_charge(state, intent, method, succeeds=succeeds)
    intent["latest_charge"] = charge["id"]
    if succeeds:
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        intent |= {"payment_method": method["id"], "last_payment_error": None}
    else:
        intent["last_payment_error"] = {**_DECLINED, "charge": charge["id"]}
    state.emit(f"charge.{charge['status']}", charge)
    state.emit(f"payment_intent.{'succeeded' if succeeds else 'payment_failed'}", intent)
    return succeeds


def _new_charge(state: StripeState, intent: Object, method: Object, *, succeeds: bool) -> Object:
    amount = intent["amount"]
    fields: Object = dict.fromkeys(("application", "application_fee", "balance_transaction"))
    fields |= dict.fromkeys(("failure_balance_transaction", "on_behalf_of", "receipt_email"))
    fields |= dict.fromkeys(("receipt_number", "receipt_url", "review", "shipping", "source"))
    fields |= {"amount": amount, "amount_captured": amount if succeeds else 0}
    fields |= {"amount_refunded": 0, "captured": succeeds, "disputed": False, "paid": succeeds}
    fields |= {"billing_details": method["billing_details"], "customer": intent["customer"]}
    fields |= {"currency": intent["currency"], "description": intent["description"]}
    fields |= {"failure_code": None if succeeds else "card_declined"}
    fields |= {"failure_message": None if succeeds else _DECLINED["message"]}
    fields |= {"payment_intent": intent["id"], "payment_method": method["id"]}
    fields |= {"payment_method_details": {"type": "card", "card": dict(method["card"])}}
    fields |= {"refunded": False, "status": "succeeded" if succeeds else "failed"}
    return state.new("charge", "ch", fields)


@route(
    "POST",
    "/v1/refunds",
    {
        "amount": natural,
        "charge": text,
        "metadata": metadata,
        "payment_intent": text,
        "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
    },
)
def create_refund(state: StripeState, params: Params) -> Object:
    charge = _charge_to_refund(state, params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not left:
        raise StripeError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = params.get("amount", left)
    if not 0 < amount <= left:
        raise StripeError(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).",
            param="amount",
        )
    fields: Object = dict.fromkeys(("balance_transaction", "reason", "receipt_number"))
    fields |= {"amount": amount, "charge": charge["id"], "currency": charge["currency"]}
    fields |= {"payment_intent": charge["payment_intent"], "status": "succeeded"}
    fields |= {"customer": charge["customer"], "created": state.now(charge)}
    refund = state.new("refund", "re", fields | {k: params[k] for k in params if k in _OWN})
    state.emit("refund.created", refund)
    with state.changing(charge, "charge.refunded"):
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    return refund


_OWN = {"reason", "metadata"}


def _charge_to_refund(state: StripeState, params: Params) -> Object:
    if charge_id := params.get("charge"):
        charge = state.find("charge", charge_id, "charge")
    elif intent := params.get("payment_intent"):
        latest = state.find("payment_intent", intent, "payment_intent")["latest_charge"]
        charge = state.objects["charge"].get(latest or "")
    else:
        raise missing("charge")
    if not charge or charge["status"] != "succeeded":
        raise StripeError("This payment was not successful, so it cannot be refunded.")
    return charge  # type: ignore[no-any-return]


readable("payment_intent", "/v1/payment_intents", customer=text)
readable("charge", "/v1/charges", customer=text, payment_intent=text)
readable("refund", "/v1/refunds", charge=text, payment_intent=text)
readable("dispute", "/v1/disputes", charge=text, payment_intent=text)
