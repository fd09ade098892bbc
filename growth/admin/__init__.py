from growth.admin import referral_pages, referrals

__all__ = ["referral_pages", "referrals"]
