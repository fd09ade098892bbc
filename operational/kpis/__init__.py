"""KPIs: their sources, goals and readings, and the alignment score."""
