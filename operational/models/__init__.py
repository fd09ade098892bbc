from .job_run import JobRun
from .kpi import KpiGoal, KpiReading

__all__ = ["JobRun", "KpiGoal", "KpiReading"]
