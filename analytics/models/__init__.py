from .capture import CaptureHour, ImportRun, InboxRequest, Outcome, ProjectKey, RejectedEvent
from .event import Event, EventUuid
from .forwarding import ForwardingBatch, ForwardingState
from .person import DistinctId, ExclusionRule, Group, Person, PersonDay, PersonMerge
from .rollup import Counter, EventDay, EventMinute, LastActiveBlock, RollupDefinition

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
