"""Who did what: capture, persons, events, roll-ups, retention, funnels, active users."""
