"""Who is who: identity, merges, profiles, exclusions, erasure."""
