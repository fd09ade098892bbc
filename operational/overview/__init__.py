"""The dashboard, its KPI pages, first steps and real-time metrics."""
