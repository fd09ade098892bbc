"""Large parameters for PostgreSQL, cheaply."""

from collections.abc import Iterable


def array_literal(values: Iterable[object]) -> str:
    """Return PostgreSQL's text form of an array of numbers, dates or uuids, for ``%s::type[]``.

    psycopg adapts each element of a list by itself, which costs more than the statement. The
    values' texts must need no quoting; None becomes NULL.
    """
    return f"{{{','.join('NULL' if value is None else str(value) for value in values)}}}"
