"""Person-days, counters and the other tables that every KPI reads instead of raw events."""
