"""The watchdog, probes and Prometheus metrics."""
