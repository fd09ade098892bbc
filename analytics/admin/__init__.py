from . import capture, persons

__all__ = ["capture", "persons"]
