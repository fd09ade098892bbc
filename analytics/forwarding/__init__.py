"""Captured events on their way to PostHog."""
