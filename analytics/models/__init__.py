from .capture import ImportRun, InboxRequest, ProjectKey, RejectedEvent
from .event import Event, EventUuid
from .person import DistinctId, Person, PersonDay
from .rollup import Counter, EventDay, RollupDefinition

__all__ = [
    "Counter",
    "DistinctId",
    "Event",
    "EventDay",
    "EventUuid",
    "ImportRun",
    "InboxRequest",
    "Person",
    "PersonDay",
    "ProjectKey",
    "RejectedEvent",
    "RollupDefinition",
]
