"""Which referrals count. Decided when read, so that merges and exclusions count at once."""

from django.db.models import F, Q, QuerySet

from growth.calculations.referral import CLICK_WINDOW, CLOCK_SKEW, INVITE_WINDOW
from growth.models import Referral

REFERRED, INVITER = "distinct_id__person", "code__distinct_id__person"


def clicked() -> QuerySet[Referral]:
    """Return those who came with a code of someone else, whether they signed up or not.

    Most visitors have no profile yet; an inviter needs one.
    """
    return Referral.objects.filter(
        ~Q(**{REFERRED: F(INVITER)}),
        **{
            f"{REFERRED}__excluded": False,
            f"{INVITER}__excluded": False,
            f"{INVITER}__has_profile": True,
        },
    )


def signed_up() -> QuerySet[Referral]:
    """Return the referrals that count."""
    return clicked().filter(has_signed_up())


def earning() -> QuerySet[Referral]:
    """Return the referrals whose payments make a reward.

    Where the backend says who brought the person, nothing that is claimed takes it away; that such
    a referral no longer counts is a reason for a review.
    """
    is_proved = Q(**{f"{REFERRED}__has_profile": True}, proved_since__isnull=False)
    return clicked().filter(is_proved | has_signed_up())


def has_signed_up() -> Q:
    """Return the condition that the signup names the code, in time, and the person is new.

    A person who activated before the click existed before.
    """
    is_new = Q(**{f"{REFERRED}__activated_at": None}) | Q(
        **{f"{REFERRED}__activated_at__gte": F("clicked_at") - CLOCK_SKEW}
    )
    return is_new & Q(
        **{f"{REFERRED}__has_profile": True},
        is_named=True,
        signed_up_at=F(f"{REFERRED}__signup_at"),
        signed_up_at__lte=F("clicked_at") + CLICK_WINDOW,
    )


def in_invite_window(moment: str) -> Q:
    """Return the condition that a moment is in the 30 x 24 hours after the inviter's signup."""
    start = F(f"{INVITER}__signup_at")
    return Q(**{f"{moment}__gte": start, f"{moment}__lte": start + INVITE_WINDOW})
