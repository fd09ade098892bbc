"""From inbox rows, files and retries to stored events."""
