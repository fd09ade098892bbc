from .kpi import KpiGoal, KpiReading

__all__ = ["KpiGoal", "KpiReading"]
