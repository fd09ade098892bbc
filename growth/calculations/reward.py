"""The states of a reward, and what makes staff review it."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from common.calculations.mailbox import mailbox


class RewardKind(StrEnum):
    """What an inviter gets."""

    NONE = "none"
    WEBHOOK = "webhook"
    COUPON = "coupon"


class Milestone(StrEnum):
    """What a referred person has to reach. Stripe proves this one; events only claim others."""

    PAID = "paid"


class RewardState(StrEnum):
    """Where a reward is on its way."""

    HELD = "held"
    REVIEW = "review"
    DUE = "due"
    SENT = "sent"
    REVERSED = "reversed"
    REFUSED = "refused"
    CAPPED = "capped"


# What counts towards the cap of an inviter: what is paid. Claims can only make others.
COUNTED_STATES = (RewardState.DUE, RewardState.SENT)


class Signal(StrEnum):
    """Why a reward needs a review before it is sent."""

    GONE = "gone"
    CLAIMED = "claimed"
    SELF = "self"
    ADDRESS = "address"
    DEVICE = "device"
    CARD = "card"
    IDLE = "idle"


KIND_LABELS = {
    RewardKind.NONE: "Nothing: only measure",
    RewardKind.WEBHOOK: "Your backend decides: a signed webhook",
    RewardKind.COUPON: "A Stripe coupon on the inviter's subscription",
}
STATE_LABELS = {
    RewardState.HELD: "Held: a refund takes it back",
    RewardState.REVIEW: "To review",
    RewardState.DUE: "Due",
    RewardState.SENT: "Sent",
    RewardState.REVERSED: "Reversed: the payment was refunded",
    RewardState.REFUSED: "Refused by staff",
    RewardState.CAPPED: "Refused: the inviter has enough",
}
SIGNAL_LABELS = {
    Signal.GONE: "The referral no longer counts: see the two people",
    Signal.CLAIMED: "The code is only claimed, through the public key",
    Signal.SELF: "Inviter and referred person are the same",
    Signal.ADDRESS: "Both have the same mailbox",
    Signal.DEVICE: "Both used the same device",
    Signal.CARD: "Both paid with the same card",
    Signal.IDLE: "No proved use on a second day",
}


@dataclass(frozen=True, slots=True)
class Party:
    """What is known about the inviter or the referred person."""

    person_id: int
    addresses: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    cards: frozenset[str] = frozenset()


def signals(
    inviter: Party, referred: Party, *, counts: bool, proved: bool, used_later: bool
) -> list[Signal]:
    """Return what makes a referral suspicious, in the order of `Signal`."""
    mailboxes = _mailboxes(inviter.addresses), _mailboxes(referred.addresses)
    raised = {
        Signal.GONE: not counts,
        Signal.CLAIMED: counts and not proved,
        Signal.SELF: inviter.person_id == referred.person_id,
        Signal.ADDRESS: bool(mailboxes[0] & mailboxes[1]),
        Signal.DEVICE: bool(inviter.devices & referred.devices),
        Signal.CARD: bool(inviter.cards & referred.cards),
        Signal.IDLE: not used_later,
    }
    return [signal for signal, is_raised in raised.items() if is_raised]


def _mailboxes(addresses: Collection[str]) -> set[str]:
    return {mailbox(address) for address in addresses if "@" in address}
