from analytics.models.capture import (
    CaptureHour,
    EventOutcome,
    IdentitySecret,
    ImportRun,
    InboxRequest,
    KeyKind,
    ProjectKey,
    RejectedEvent,
)
from analytics.models.erasure import ErasedId, Erasure
from analytics.models.event import Event, EventUuid
from analytics.models.exclusion import Exclusion, ExclusionRule
from analytics.models.forwarding import ForwardingBatch, ForwardingState
from analytics.models.mail import MailClaim
from analytics.models.person import DistinctId, Group, Person, PersonDay, PersonMerge
from analytics.models.rollup import (
    Counter,
    EventDay,
    EventMinute,
    LastActiveBlock,
    RollupDefinition,
)

__all__ = [
    "CaptureHour",
    "Counter",
    "DistinctId",
    "ErasedId",
    "Erasure",
    "Event",
    "EventDay",
    "EventMinute",
    "EventOutcome",
    "EventUuid",
    "Exclusion",
    "ExclusionRule",
    "ForwardingBatch",
    "ForwardingState",
    "Group",
    "IdentitySecret",
    "ImportRun",
    "InboxRequest",
    "KeyKind",
    "LastActiveBlock",
    "MailClaim",
    "Person",
    "PersonDay",
    "PersonMerge",
    "ProjectKey",
    "RejectedEvent",
    "RollupDefinition",
]
