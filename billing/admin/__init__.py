from . import exceptions, limits, meters, notices, plans, usage

__all__ = ["exceptions", "limits", "meters", "notices", "plans", "usage"]
