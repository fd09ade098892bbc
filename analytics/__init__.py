"""Product analytics: capture, persons, events, roll-ups, retention, funnels, active users."""
