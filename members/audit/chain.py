"""Events are chained as they are written."""

from collections.abc import Sequence

from members.audit.notes import Note


def write(notes: Sequence[Note]) -> None:
    """Append what was noted, chain by chain."""
