"""Settings, URLs and processes, which tie the apps together; no app imports it."""
