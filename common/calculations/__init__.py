"""Pure functions that several apps use: statistics, calendar days, charts. No Django."""
