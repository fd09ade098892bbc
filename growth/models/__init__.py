from growth.models.referral import Referral, ReferralCheck, ReferralCode
from growth.models.referral_programme import ReferralProgramme
from growth.models.referral_reward import ReferralReward

__all__ = [
    "Referral",
    "ReferralCheck",
    "ReferralCode",
    "ReferralProgramme",
    "ReferralReward",
]
