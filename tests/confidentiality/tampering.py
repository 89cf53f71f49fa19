"""Whoever can write to the database cannot make a text say another thing, nor edit the record.

Everything is done as PostgreSQL's own superuser with triggers and foreign keys switched off, and
read afterwards as a process just started reads it. What comes back must be a refusal, never a text.

One thing is not detected, and `docs/security.md` says so: a whole row put back as it was, text and
version together. The row is then what it once was, and nothing outside the database knows better.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.db import connection, transaction
from django.db.models import Model

from members.envelope import FORMAT, HEAD_BYTES, NONCE_BYTES, CannotOpen
from members.models import DataKey, Member
from sessions.models import Reflection
from tests.balint.installation import Installation
from tests.confidentiality import sealed_rows, tampered_record
from tests.confidentiality.ground import (
    Size,
    forget_opened_keys,
    own_database,
    signed_in,
    speaking_to,
)
from tests.confidentiality.sealed_rows import Text

Detected = Callable[[], bool]
REGIONS = (0, len(FORMAT), HEAD_BYTES, HEAD_BYTES + NONCE_BYTES, -1)


@dataclass(frozen=True)
class Tampering:
    """What is written, row by row, and by what it must be noticed."""

    kind: str
    writes: tuple[tuple[type[Model], Any, dict[str, Any]], ...]
    detected: Detected


def run(size: Size) -> dict[str, Any]:
    """Every tampering, each taken back before the next; counts by kind."""
    with own_database() as name:
        sealed_rows.furnish()
        with speaking_to(name, "SUPERUSER"):
            done, seen = tried(itertools.chain(of_texts(size), of_keys(size), of_second_factors()))
            on_record, noticed = tampered_record.tried(size)
    return summary(done + on_record, seen + noticed)


def summary(done: Counter[str], seen: Counter[str]) -> dict[str, Any]:
    missed = {kind: number - seen[kind] for kind, number in done.items() if number > seen[kind]}
    return {
        "tamperings": done.total(),
        "tamperings_detected": seen.total(),
        "tamperings_of": dict(sorted(done.items())),
        "tamperings_missed": missed,
        "tamperings_known_limit": "a whole row put back as it was, text and version together",
        "failed": sum(missed.values()),
    }


def tried(tamperings: Iterator[Tampering]) -> tuple[Counter[str], Counter[str]]:
    """How many of each kind there were, and how many of them were noticed."""
    done: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for tampering in tamperings:
        with taken_back():
            for model, row, values in tampering.writes:
                model._base_manager.filter(pk=row).update(**values)
            done[tampering.kind] += 1
            seen[tampering.kind] += tampering.detected()
    return done, seen


@contextmanager
def taken_back() -> Iterator[None]:
    """One transaction without triggers or foreign keys, and then as if it had never been."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("set local session_replication_role = replica")
        yield
        transaction.set_rollback(True)


# Texts


def of_texts(size: Size) -> Iterator[Tampering]:
    """Moved to another row, column, group or version; put back; cut; flipped; lengthened."""
    texts = sealed_rows.texts()
    for text in texts:
        if text.is_refused():
            raise AssertionError(f"{text.table} does not open before anything was done to it.")
    yield from _moved(texts, size)
    for text in _one_of_each(texts):
        yield from _of_version(text)
        yield from _cut(text, size)
        yield from _flipped(text, size)
        yield _put(text, "lengthened", text.blob + b"\0")
    yield from _rehomed(texts)


def _one_of_each(texts: list[Text]) -> list[Text]:
    return list({(text.table, text.name): text for text in texts}.values())


def _moved(texts: list[Text], size: Size) -> Iterator[Tampering]:
    """Every text into the place of every other, with the version there and with its own."""
    seen: Counter[str] = Counter()
    for here, there in itertools.permutations(texts, 2):
        kind = "put into another " + _difference(here, there)
        seen[f"{kind} {there.table}"] += 1
        if size == "whole" or seen[f"{kind} {there.table}"] <= 2:
            yield _put(there, kind, here.blob)
            yield _put(there, kind, here.blob, here.version)


def _difference(here: Text, there: Text) -> str:
    if here.table != there.table:
        return "column"
    return "row" if here.blob[1:HEAD_BYTES] == there.blob[1:HEAD_BYTES] else "group or person"


def _of_version(text: Text) -> Iterator[Tampering]:
    for version in (0, text.version - 1, text.version + 1, text.version + 100):
        if version >= 0 and version != text.version:
            yield _put(text, "version changed", text.blob, version)
    # As if the text had been changed since: the newer version stands, the older blob comes back.
    with transaction.atomic():
        row = text.model._default_manager.get(pk=text.row)
        setattr(row, text.name, "what was typed later")
        later = getattr(row, text.columns[0]), getattr(row, text.columns[1])
        transaction.set_rollback(True)
    yield _put(text, "put back after a change", text.blob, later[1])
    yield _put(text, "put forward before a change", later[0], text.version)


def _cut(text: Text, size: Size) -> Iterator[Tampering]:
    lengths = range(len(text.blob)) if size == "whole" else (0, 1, HEAD_BYTES, len(text.blob) - 1)
    for length in lengths:
        yield _put(text, "cut short", text.blob[:length])


def _flipped(text: Text, size: Size) -> Iterator[Tampering]:
    places = range(len(text.blob)) if size == "whole" else REGIONS
    bits = range(8) if size == "whole" else (0, 7)
    for place, bit in itertools.product(places, bits):
        yield _put(text, "a bit flipped", flipped(text.blob, place, bit))


def flipped(blob: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(blob)
    changed[place] ^= 1 << bit
    return bytes(changed)


def _put(text: Text, kind: str, blob: bytes, version: int | None = None) -> Tampering:
    """Another blob, or another version, into the place of a text."""
    values = dict(zip(text.columns, (blob, version), strict=True))
    if version is None:
        del values[text.columns[1]]
    return Tampering(kind, ((text.model, text.row, values),), text.is_refused)


def _rehomed(texts: list[Text]) -> Iterator[Tampering]:
    """The row itself given to another group or person, its text untouched."""
    by_kind: dict[tuple[str, str], list[Text]] = {}
    for text in texts:
        by_kind.setdefault((text.table, text.name), []).append(text)
    for alike in by_kind.values():
        for here, there in itertools.permutations(alike, 2):
            owner = getattr(there.model._default_manager.get(pk=there.row), there.scope)
            mine = getattr(here.model._default_manager.get(pk=here.row), here.scope)
            if owner != mine:
                values = {here.scope: owner}
                if here.model is Reflection:  # One to a person and session.
                    values["session_id"] = None
                yield Tampering("row moved", ((here.model, here.row, values),), here.is_refused)


# Keys


def of_keys(size: Size) -> Iterator[Tampering]:
    """Data keys exchanged between classes and groups, altered, or taken away."""
    texts = sealed_rows.texts()
    found = list(DataKey.objects.order_by("key_class", "scope"))
    keys = {key.pk: key for key in found if _opened_by(key, texts)}
    pairs = list(itertools.combinations(keys.values(), 2))
    for one, other in pairs if size == "whole" else pairs[:12]:
        yield from _exchanged(one, other, texts)
    for key in keys.values():
        mine = _refused(_opened_by(key, texts))
        yield Tampering("key of another epoch", ((DataKey, key.pk, {"epoch": 99}),), mine)
        wrapped = bytes(key.wrapped)
        places = range(len(wrapped)) if size == "whole" else (0, NONCE_BYTES, -1)
        for place in places:
            values = {"wrapped": flipped(wrapped, place, place % 8)}
            yield Tampering("key altered", ((DataKey, key.pk, values),), mine)


def _opened_by(key: DataKey, texts: list[Text]) -> list[Text]:
    return [text for text in texts if text.blob[len(FORMAT) : HEAD_BYTES] == key.pk.bytes]


def _refused(texts: list[Text]) -> Detected:
    return lambda: all(text.is_refused() for text in texts)


def _exchanged(one: DataKey, other: DataKey, texts: list[Text]) -> Iterator[Tampering]:
    of_both = _refused([*_opened_by(one, texts), *_opened_by(other, texts)])
    wrapped = ({"wrapped": other.wrapped}, {"wrapped": one.wrapped})
    yield _both("keys exchanged", one, other, wrapped, of_both)
    # Which group or class a key is for: unique together, so by way of a scope nobody has.
    places = [{"key_class": key.key_class, "scope": key.scope} for key in (other, one)]
    aside = (DataKey, one.pk, {"key_class": one.key_class, "scope": other.pk})
    turned = ((DataKey, other.pk, places[1]), (DataKey, one.pk, places[0]))
    yield Tampering("keys given to each other's owners", (aside, *turned), of_both)


def _both(
    kind: str, one: DataKey, other: DataKey, values: tuple[Any, Any], detected: Detected
) -> Tampering:
    writes = ((DataKey, one.pk, values[0]), (DataKey, other.pk, values[1]))
    return Tampering(kind, writes, detected)


# Second factors


def of_second_factors() -> Iterator[Tampering]:
    """A secret put into somebody else's row, another kind of row, or given to somebody else."""
    rows = list(Authenticator.objects.order_by("pk"))
    for here, there in itertools.permutations(rows, 2):
        (mine,), (field,) = here.data.values(), there.data
        yield _of_factor("second factor moved", there, {"data": {field: str(mine)}})
    without = Member.objects.exclude(pk__in=[row.user_id for row in rows]).first()
    for row in rows:
        yield _of_factor("second factor given away", row, {"user_id": without.pk})
        (field,) = row.data
        for clear in ("JBSWY3DPEHPK3PXP", "", "AAAA"):
            yield _of_factor("second factor in clear", row, {"data": {field: clear}})


def _of_factor(kind: str, row: Authenticator, values: dict[str, Any]) -> Tampering:
    def refused() -> bool:
        forget_opened_keys()
        (kept,) = Authenticator.objects.get(pk=row.pk).data.values()
        try:
            get_adapter().decrypt(kept)
        except CannotOpen:
            return True
        return False

    return Tampering(kind, ((Authenticator, row.pk, values),), refused)


def page_of_a_tampered_case(there: Installation) -> tuple[int, bytes]:
    """What the presenter's page answers when the title in it is not as it was put."""
    client = signed_in(there.circle.presenter)
    blob = bytes(there.told.title_sealed)  # type: ignore[attr-defined]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("set local role balint_owner")
            cursor.execute(
                "update balint_sessions_casepresentation set title_sealed = %s where id = %s",
                [flipped(blob, -1, 0), there.told.pk],
            )
            cursor.execute("set local role balint_app")
        answer = client.get(f"/cases/{there.told.pk}/")
        transaction.set_rollback(True)
    return answer.status_code, answer.content
