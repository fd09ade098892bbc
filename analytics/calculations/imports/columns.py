"""Which columns or fields of a file hold what makes an event."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from analytics.calculations.imports.errors import NotUnderstood


@dataclass(frozen=True)
class Columns:
    """The names of the columns or fields with a role; all others become properties."""

    event: str = "event"
    distinct_id: str = "distinct_id"
    timestamp: str = "timestamp"
    uuid: str = "uuid"
    properties: str = "properties"
    event_name: str = ""  # the name of every event, where no column holds it

    def matched(self, names: Sequence[str]) -> "Columns":
        """Return the columns as a header writes them, or raise `NotUnderstood`.

        Upper and lower case count where two columns differ only by it.
        """
        if repeated := [name for name, times in Counter(names).items() if name and times > 1]:
            raise NotUnderstood(f"two columns are named {repeated[0]}")
        matched = {role: _match(names, name) for role, name in self._roles().items()}
        required = {"distinct_id", "timestamp"} | (set() if self.event_name else {"event"})
        defaults = AS_CAPTURED._roles()
        for role, name in self._roles().items():
            if matched[role] is None and (role in required or name != defaults[role]):
                option = f"--{role.replace('_', '-')}-column"
                raise NotUnderstood(f"no column is named {name} ({option} names another)")
        return replace(self, **{role: name for role, name in matched.items() if name is not None})

    def _roles(self) -> dict[str, str]:
        """Return the name of the column of each role."""
        return {name: value for name, value in asdict(self).items() if name != "event_name"}


AS_CAPTURED = Columns()


def _match(names: Sequence[str], name: str) -> str | None:
    """Return the column of this name, in any case if only one has it."""
    if name in names:
        return name
    similar = [each for each in names if each.casefold() == name.strip().casefold()]
    return similar[0] if len(similar) == 1 else None
