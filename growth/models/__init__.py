from growth.models.mail_event import MailEvent
from growth.models.mail_topic import MailTopic
from growth.models.referral import Referral, ReferralCheck, ReferralCode
from growth.models.referral_program import ReferralProgram
from growth.models.referral_reward import ReferralReward
from growth.models.spend import ChannelAlias, SpendDay
from growth.models.suppression import Suppression

__all__ = [
    "ChannelAlias",
    "MailEvent",
    "MailTopic",
    "Referral",
    "ReferralCheck",
    "ReferralCode",
    "ReferralProgram",
    "ReferralReward",
    "SpendDay",
    "Suppression",
]
