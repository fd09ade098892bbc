"""Is it on course: KPI catalogue, readings, goals, alignment score, dashboard."""
