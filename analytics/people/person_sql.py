"""SQL about persons, for other apps' queries on tables of their own that hold a distinct id."""


def with_person(table: str) -> str:
    """Return a FROM item: a table with a column `distinct_id`, and the `person_id` of each row."""
    return f"{table} JOIN analytics_distinctid USING (distinct_id)"


def person_id_of(distinct_id: str) -> str:
    """Return a subquery of the person id of a distinct id, itself SQL (such as a parameter)."""
    return f"(SELECT person_id FROM analytics_distinctid WHERE distinct_id = {distinct_id})"


def persons_as(alias: str) -> str:
    """Return a FROM item of all persons, with the columns `id` and `properties` (jsonb)."""
    return f"analytics_person {alias}"
