from analytics.models.capture import (
    CaptureHour,
    ImportRun,
    InboxRequest,
    Outcome,
    ProjectKey,
    RejectedEvent,
)
from analytics.models.event import Event, EventUuid
from analytics.models.forwarding import ForwardingBatch, ForwardingState
from analytics.models.person import DistinctId, ExclusionRule, Group, Person, PersonDay, PersonMerge
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
    "Event",
    "EventDay",
    "EventMinute",
    "EventUuid",
    "ExclusionRule",
    "ForwardingBatch",
    "ForwardingState",
    "Group",
    "ImportRun",
    "InboxRequest",
    "LastActiveBlock",
    "Outcome",
    "Person",
    "PersonDay",
    "PersonMerge",
    "ProjectKey",
    "RejectedEvent",
    "RollupDefinition",
]
