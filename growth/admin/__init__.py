from growth.admin import referral_pages, referrals, suppression, suppression_pages

__all__ = ["referral_pages", "referrals", "suppression", "suppression_pages"]
