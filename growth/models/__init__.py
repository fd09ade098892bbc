from growth.models.referral import Referral, ReferralCheck, ReferralCode
from growth.models.referral_program import ReferralProgram
from growth.models.referral_reward import ReferralReward

__all__ = [
    "Referral",
    "ReferralCheck",
    "ReferralCode",
    "ReferralProgram",
    "ReferralReward",
]
