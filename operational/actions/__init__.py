"""Priority actions: what to do next."""
