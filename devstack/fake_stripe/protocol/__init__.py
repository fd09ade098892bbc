"""HTTP, routes, parameters and answers."""
