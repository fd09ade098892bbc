"""Why a file cannot be imported at all."""


class NotUnderstood(ValueError):
    """A file is refused as a whole; the text names its encoding, delimiter, header or line."""
