from .capture import CaptureHour, ImportRun, InboxRequest, Outcome, ProjectKey, RejectedEvent
from .event import Event, EventUuid
from .forwarding import ForwardingBatch, ForwardingState
from .person import DistinctId, ExclusionRule, Group, Person, PersonDay, PersonMerge
from .rollup import Counter, EventDay, RollupDefinition

__all__ = [
    "CaptureHour",
    "Counter",
    "DistinctId",
    "Event",
    "EventDay",
    "EventUuid",
    "ExclusionRule",
    "ForwardingBatch",
    "ForwardingState",
    "Group",
    "ImportRun",
    "InboxRequest",
    "Outcome",
    "Person",
    "PersonDay",
    "PersonMerge",
    "ProjectKey",
    "RejectedEvent",
    "RollupDefinition",
]
