from . import capture, exclusion_rules, groups, merges, persons

__all__ = ["capture", "exclusion_rules", "groups", "merges", "persons"]
