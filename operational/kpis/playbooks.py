"""What to do about a KPI that is below its target: one recommended course for each."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Playbook:
    """A course of action; `steps` are in order."""

    title: str
    steps: tuple[str, ...]


PLAYBOOKS: Mapping[str, Playbook] = {
    "d7_retention": Playbook(
        "Bring people back in their first week",
        (
            "Open the persons who were not active on day 7 and look for what they have in common.",
            "E-mail those who signed up this week and did not come back, with one concrete task.",
            "Compare those who came back: which event did they have, and the others not?",
        ),
    ),
    "activation_rate": Playbook(
        "Shorten the way to the first success",
        (
            "Find the step of the funnel between signup and activation that loses most people.",
            "Remove or postpone whatever that step asks for and does not need.",
            "Write to five persons who stopped there, and ask.",
        ),
    ),
    "d30_retention": Playbook(
        "Give people a reason to return every month",
        (
            "Look at the retention matrix: from which week on do people leave?",
            "Invite those who drift away to what the ones who stay use most.",
            "Ask those who left for the reason.",
        ),
    ),
    "ltv_cac": Playbook(
        "Earn more from a customer, or win one for less",
        (
            "Check the marketing spend and the gross margin that the number rests on.",
            "Stop the channel whose customers cost most and stay shortest.",
            "Offer customers near a plan's limit the next plan.",
        ),
    ),
    "signup_activation": Playbook(
        "Get people to activation on their first day",
        (
            "Open the persons who did not activate within 24 hours.",
            "Send a short how-to some hours after signup to those who have not activated.",
            "Offer a template or sample data, so that nobody starts with an empty page.",
        ),
    ),
    "growth_mom": Playbook(
        "Find where growth stopped",
        (
            "Split the month into new, returning, resurrected and lost on the active users' page.",
            "Where new people lack, look at signups by source; where too many leave, at retention.",
            "Put next month's effort into the one that changed most.",
        ),
    ),
    "churn_rate": Playbook(
        "Keep the customers who are about to leave",
        (
            "Call the customers whose cancellation is scheduled and those past due.",
            "Look at what the customers who left had stopped using before.",
            "Have failed payments tried again, and tell the customers.",
        ),
    ),
    "viral_coefficient": Playbook(
        "Have happy people invite others",
        (
            "Ask for an invitation right after activation, not at signup.",
            "Look at how many invite, and how many of the invited accept: mend the lower one.",
            "Give both sides something.",
        ),
    ),
}
