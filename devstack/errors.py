"""Errors of the embedded servers."""

BRING_YOUR_OWN = (
    "Or set DATABASE_URL and REDIS_URL to a PostgreSQL (15 or newer) and a Redis or Valkey of your "
    "own; then nothing is embedded."
)


class DevstackError(SystemExit):
    """A message for the person at the terminal: uncaught, it is printed and the status is 1."""
