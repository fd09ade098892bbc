"""What to do about a KPI below its target: one recommended course of action for each."""

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
            "Open the people who were not active on day 7 and look for what they have in common.",
            "E-mail those who signed up this week and did not come back, with one concrete task.",
            "Compare them with those who came back: which events did only the latter have?",
        ),
    ),
    "activation_rate": Playbook(
        "Shorten the path to the first success",
        (
            "Find the funnel step between signup and activation that loses the most people.",
            "Remove or postpone everything that step asks for but does not need.",
            "Write to five people who stopped there and ask why.",
        ),
    ),
    "d30_retention": Playbook(
        "Give people a reason to return every month",
        (
            "Check the retention matrix: in which week do people start to leave?",
            "Point drifting users to the features that retained users use most.",
            "Ask people who left why they left.",
        ),
    ),
    "ltv_cac": Playbook(
        "Earn more per customer or acquire customers for less",
        (
            "Check the marketing spend and the gross margin behind the number.",
            "Stop the channel whose customers cost the most and leave soonest.",
            "Offer customers close to a plan's limit the next plan.",
        ),
    ),
    "signup_activation": Playbook(
        "Get people to activation on their first day",
        (
            "Open the people who did not activate within 24 hours.",
            "A few hours after signup, send a short how-to to those who have not activated.",
            "Offer a template or sample data so that no one starts with an empty page.",
        ),
    ),
    "growth_mom": Playbook(
        "Find where growth stopped",
        (
            "Split the month into new, returning, resurrected and lost people in Active users.",
            "If signups are falling, check signups by source; if too many leave, check retention.",
            "Focus next month on whichever changed most.",
        ),
    ),
    "churn_rate": Playbook(
        "Keep the customers who are about to leave",
        (
            "Call customers whose cancellation is scheduled and those past due.",
            "Check what lost customers had stopped using before they left.",
            "Retry failed payments and notify those customers.",
        ),
    ),
    "viral_coefficient": Playbook(
        "Get happy people to invite others",
        (
            "Ask for an invitation right after activation, not at signup.",
            "Compare how many people invite with how many accept, and improve the lower one.",
            "Reward both sides.",
        ),
    ),
}
