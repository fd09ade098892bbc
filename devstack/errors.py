"""What the embedded servers say when they cannot serve."""

BRING_YOUR_OWN = (
    "Or point DATABASE_URL at a PostgreSQL (15 or newer) and REDIS_URL at a Redis or Valkey of "
    "your own; then nothing is embedded."
)


class DevstackError(SystemExit):
    """A message for the person at the terminal: uncaught, it is printed and the status is 1."""
