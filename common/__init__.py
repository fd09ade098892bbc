"""The ground floor: what every app uses and what knows nothing of the domain."""
