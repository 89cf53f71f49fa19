"""Where each chain ends, to be kept outside the database: only so is a cut end seen."""

from collections.abc import Mapping
from uuid import UUID

from django.db import connection

Heads = Mapping[UUID, tuple[int, bytes]]


def heads(kept: Heads | None = None) -> dict[UUID, tuple[int, bytes]]:
    """Length and last digest of each chain; for the worker, who may read no event.

    A chain in which a head kept before no longer stands is left out: then what was kept is the
    evidence, and must not be replaced by what the chain says now.
    """
    kept = kept or {}
    numbers = [number for number, _ in kept.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            "select * from public.balint_audit_heads(%s::uuid[], %s::bigint[])",
            [list(kept), numbers],
        )
        rows = cursor.fetchall()
    return {
        chain: (length, bytes(last))
        for chain, length, last, kept_from, then in rows
        if chain not in kept or _stands(kept[chain], kept_from, then)
    }


def _stands(kept: tuple[int, bytes], kept_from: int, then: bytes | None) -> bool:
    number, last = kept
    # Older than the record is kept, and gone by the rule.
    if number < kept_from:
        return True
    return then is not None and bytes(then) == last
