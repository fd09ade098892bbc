"""Insights read from roll-ups: retention, funnels, activation, active users, events."""
