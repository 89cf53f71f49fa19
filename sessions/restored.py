"""After a restore: what was erased since the backup was made is erased again.

The tombstones beside the key file say what; run as the owner of the tables, again and again if need
be. What this database knows to be erased already, by a tombstone of its own, is left alone.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model

from members import beside
from members.beside import Stone
from members.models import Tombstone, TombstoneKind
from sessions.models import CasePresentation, LeadersNote, Reflection


@transaction.atomic
def reapply(stones: Iterable[Stone]) -> Counter[str]:
    """Erase again what these name; how many of each kind were there. As the owner only."""
    missing = _missing(stones)
    done: Counter[str] = Counter()
    for kind, erase in ERASE.items():
        done[kind] = erase([stone for stone in missing if stone.kind == kind])
    return done


def reapply_file() -> Counter[str]:
    """The same with the file beside the key file; raises BesideError."""
    return reapply(beside.stones_kept())


def _missing(stones: Iterable[Stone]) -> list[Stone]:
    known: dict[tuple[str, UUID], object] = {}
    newest: dict[tuple[str, UUID], Stone] = {}
    for kind, subject, made_at in Tombstone.objects.order_by("made_at").values_list(
        "kind", "subject", "made_at"
    ):
        known[kind, subject] = made_at
    for stone in sorted(stones):
        newest[stone.kind, stone.subject] = stone
    return [
        stone
        for thing, stone in newest.items()
        if thing not in known or known[thing] < stone.made_at  # type: ignore[operator]
    ]


def _people(stones: Sequence[Stone]) -> int:
    return _each(
        "select public.balint_erase_person(id) from members_member where id = %s",
        [[stone.subject] for stone in stones],
    )


def _cases(stones: Sequence[Stone]) -> int:
    return _each(
        "select public.balint_forget_case_again(id) from balint_sessions_casepresentation "
        "where id = %s",
        [[stone.subject] for stone in stones],
    )


def _untold(stones: Sequence[Stone]) -> int:
    """Cases that never were go without being counted, and leave the same tombstone again."""
    ids = [stone.subject for stone in stones]
    with connection.cursor() as cursor:
        cursor.execute("select set_config('balint.never_was', %s, true)", [",".join(map(str, ids))])
    return _rows(CasePresentation)(stones)


def _groups(stones: Sequence[Stone]) -> int:
    return _each(
        "select public.balint_forget_group(id, %s) from groups_group where id = %s",
        [[stone.made_at, stone.subject] for stone in stones],
    )


def _rows(model: type[Model]) -> Callable[[Sequence[Stone]], int]:
    def erase(stones: Sequence[Stone]) -> int:
        rows = model._default_manager.filter(pk__in=[stone.subject for stone in stones])
        return rows.delete()[1].get(model._meta.label, 0)

    return erase


def _each(statement: str, parameters: Sequence[Sequence[Any]]) -> int:
    """One call for each; how many met something that was there."""
    found = 0
    with connection.cursor() as cursor:
        for given in parameters:
            cursor.execute(statement, given)
            found += len(cursor.fetchall())
    return found


# What never was goes first, before a group or a person takes it along and counts it.
ERASE: dict[str, Callable[[Sequence[Stone]], int]] = {
    TombstoneKind.UNTOLD: _untold,
    TombstoneKind.CASE: _cases,
    TombstoneKind.REFLECTION: _rows(Reflection),
    TombstoneKind.NOTE: _rows(LeadersNote),
    TombstoneKind.GROUP: _groups,
    TombstoneKind.PERSON: _people,
}
