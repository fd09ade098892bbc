"""Errors as Stripe words them: https://docs.stripe.com/api/errors."""

from typing import Any


class StripeError(Exception):
    """A response with status 4xx. `param` names the parameter as the client sent it."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        param: str = "",
        status: int = 400,
        type_: str = "invalid_request_error",
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        details = {"code": code, "param": param} | more
        self.error = {"type": type_, "message": message} | {k: v for k, v in details.items() if v}
        if code:
            slug = code.replace("_", "-")
            self.error["doc_url"] = f"https://docs.stripe.com/error-codes/{slug}"


def no_such(kind: str, object_id: str, param: str, *, in_path: bool = False) -> StripeError:
    """Return 404 if the path names the object, 400 if a parameter does."""
    name = kind.rsplit(".", 1)[-1].replace("_", " ")
    return StripeError(
        f"No such {name}: '{object_id}'",
        code="resource_missing",
        param=param,
        status=404 if in_path else 400,
    )


def missing(param: str) -> StripeError:
    return StripeError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def card_declined(**more: Any) -> StripeError:
    return StripeError(
        "Your card was declined.",
        code="card_declined",
        status=402,
        type_="card_error",
        decline_code="generic_decline",
        **more,
    )
