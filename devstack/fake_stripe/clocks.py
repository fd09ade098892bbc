"""Test clocks, and the events of subscriptions as time passes."""

from collections.abc import Callable, Iterator

from devstack.fake_stripe.errors import StripeError
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import Params, Required, integer, text
from devstack.fake_stripe.protocol.routes import readable, route
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import subscriptions

_KIND = "test_helpers.test_clock"
_PATH = "/v1/test_helpers/test_clocks"
_HOUR, _DAY = 3600, 86400

Due = tuple[int, str, Callable[[], None]]


@route("POST", _PATH, {"frozen_time": Required(integer), "name": text})
def create_clock(state: StripeState, params: Params) -> Object:
    fields = {"name": None, "status": "ready", "deletes_after": state.now() + 30 * _DAY}
    clock = state.new(_KIND, "clock", fields | params)
    del clock["metadata"]
    state.emit("test_helpers.test_clock.created", clock)
    return clock


@route("POST", _PATH + "/{id}/advance", {"frozen_time": Required(integer)})
def advance_clock(state: StripeState, params: Params, clock_id: str) -> Object:
    return advance(state, clock_id, params["frozen_time"], in_path=True)


readable(_KIND, _PATH)


def advance(state: StripeState, clock_id: str, to: int, *, in_path: bool = False) -> Object:
    clock: Object = state.find(_KIND, clock_id, in_path=in_path)
    if to <= clock["frozen_time"]:
        raise StripeError(
            "The new frozen_time must be later than the clock's current one.", param="frozen_time"
        )
    while due := _next_due(state, clock_id, to):
        clock["frozen_time"] = max(due[0], clock["frozen_time"])
        due[2]()
    clock["frozen_time"] = to
    state.emit("test_helpers.test_clock.ready", clock)
    return clock


def advance_real_time(state: StripeState) -> bool:
    """Do what is due for objects without a test clock; return whether anything was."""
    now, happened = state.now(), False
    try:
        while due := _next_due(state, None, now):
            state.simulated_time, happened = due[0], True
            due[2]()
    finally:
        state.simulated_time = None
    return happened


def _next_due(state: StripeState, clock_id: str | None, until: int) -> Due | None:
    moments = [due for due in _all_due(state, clock_id) if due[0] <= until]
    return min(moments, key=lambda due: due[:2], default=None)


def _all_due(state: StripeState, clock_id: str | None) -> Iterator[Due]:
    """Yield the next event of each subscription with its time."""
    for subscription in state.all("subscription", test_clock=clock_id):
        status = subscription["status"]
        if status == "incomplete":
            yield (
                subscription["created"] + 23 * _HOUR,
                "expire",
                _do(subscriptions.expire, state, subscription),
            )
        elif status in {"active", "past_due", "trialing"}:
            yield from _of_living(state, subscription)
    for invoice in state.all("invoice", test_clock=clock_id, status="open"):
        if at := invoice["next_payment_attempt"]:
            yield at, "retry", _do(subscriptions.pay, state, invoice, None)


def _of_living(state: StripeState, subscription: Object) -> Iterator[Due]:
    end = subscriptions.period_of(state, subscription)[1]
    cancel_at = subscription["cancel_at"]
    if cancel_at and cancel_at <= end:  # at the same moment it precedes the renewal by its name
        yield (
            cancel_at,
            "cancel",
            _do(subscriptions.cancel, state, subscription, "cancellation_requested"),
        )
    yield end, "renew", _do(subscriptions.renew, state, subscription)
    if subscription["status"] == "trialing" and not subscription.get("_warned"):
        yield subscription["trial_end"] - 3 * _DAY, "warn", _do(_warn, state, subscription)
    pause = subscription["pause_collection"]
    if pause and pause["resumes_at"]:
        yield pause["resumes_at"], "collect", _do(_collect_again, state, subscription)


def _warn(state: StripeState, subscription: Object) -> None:
    subscription["_warned"] = True
    state.emit("customer.subscription.trial_will_end", subscription)


def _collect_again(state: StripeState, subscription: Object) -> None:
    with state.changing(subscription, "customer.subscription.updated"):
        subscription["pause_collection"] = None


def _do(action: Callable[..., object], *arguments: object) -> Callable[[], None]:
    def run() -> None:
        action(*arguments)

    return run
