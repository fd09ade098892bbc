from growth.admin import (
    acquisition,
    referral_pages,
    referrals,
    spend,
    spend_entry,
    suppression,
    suppression_pages,
)

__all__ = [
    "acquisition",
    "referral_pages",
    "referrals",
    "spend",
    "spend_entry",
    "suppression",
    "suppression_pages",
]
