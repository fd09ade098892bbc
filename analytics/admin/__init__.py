from . import capture, persons, project_keys, rejected_events

__all__ = ["capture", "persons", "project_keys", "rejected_events"]
