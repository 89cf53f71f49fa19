"""A bug that is put in and taken out again, and the slice of the proofs that should see it."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.urls import get_resolver

from balint.roles import rights
from members import prepared
from members.identity import become
from members.kinds import Kind
from tests.balint import test_attacks_on_functions as functions
from tests.balint.attacks import EVERYBODY, rights_of, touches
from tests.balint.inside import Inside
from tests.balint.test_attacks_on_rows import MAY
from tests.confidentiality.matrix import Case, Matrix

# What a slice found, in words: nothing while everything is as it should be.
Slice = Callable[[Any], list[str]]
Patch = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Bug:
    """`name` says what is wrong; `cheap` ones are in the suite's sample."""

    name: str
    patch: Patch
    seen_by: Slice
    cheap: bool = False


# Slices of the matrix


def requests(route: str, *personas: str, by: str = "GET", state: str = "", of: str = "") -> Slice:
    """The cases of one address for these people, one after the other."""

    def look(matrix: Matrix) -> list[str]:
        cases = [
            case
            for persona in personas
            for case in matrix.some(route, persona, *by.split(), state=state, of=of)
        ]
        return found(matrix, cases)

    return look


def found(matrix: Matrix, cases: list[Case]) -> list[str]:
    """What looking at these finds, apart from what else the matrix has found."""
    if not cases:
        raise LookupError("No case of the matrix is like that.")
    matrix.result.leaks, matrix.result.wrong = [], []
    matrix.twins = {}
    for case in cases:
        matrix.look(case)
    return [*matrix.result.leaks, *matrix.result.wrong]


def after_the_end(persona: str) -> Slice:
    """Whoever is signed in while a membership ends."""

    def look(matrix: Matrix) -> list[str]:
        matrix.result.wrong = []
        matrix.look_after_the_end(persona)
        return list(matrix.result.wrong)

    return look


# Slices of the attacks on rows


def rows(*names: str) -> Slice:
    """Everybody tries to read, change and remove these rows."""

    def look(inside: Inside) -> list[str]:
        return [
            f"{name}: {who} may {now or 'nothing'}"
            for name in names
            for who in EVERYBODY
            if (now := rights_of(inside.people[who], inside.rows[name])) != MAY[name].get(who, "")
        ]

    return look


def forgotten_by(name: str, who: set[str]) -> Slice:
    """Who can have a case forgotten by the function of the database."""

    def look(inside: Inside) -> list[str]:
        can = functions.removed_by(inside, "balint_forget_case", name)
        return sorted(f"forgotten by {one}" for one in can - who)

    return look


def titles(who: str, name: str) -> Slice:
    """Whether somebody writes a title that is not theirs to write."""

    def look(inside: Inside) -> list[str]:
        case: Any = inside.rows[name]
        with transaction.atomic():
            become(inside.people[who], "balint_app")
            wrote = _writes(type(case).objects.filter(pk=case.pk))
            transaction.set_rollback(True)
        return [f"{who} wrote the title of {name}"] if wrote else []

    return look


def _writes(cases: Any) -> bool:
    return bool(touches(lambda: cases.update(title_sealed=None)))


def grants(inside: Inside) -> list[str]:
    """Rights on content that are not in the table of `balint/roles.py`."""
    return [
        f"{role} may {right} {model._meta.db_table}"
        for model in _content()
        for role in ("roster", "worker")
        for right in ("select", "insert", "update", "delete")
        if right not in rights(model)[role] and _granted(role, model._meta.db_table, right)
    ]


def _granted(role: str, table: str, right: str) -> bool:
    asked = "select has_table_privilege(%s, %s, %s)"
    with connection.cursor() as cursor:
        cursor.execute(asked, [f"balint_{role}", table, right])
        return bool(cursor.fetchone()[0])


def forced(inside: Inside) -> list[str]:
    """Tables of content whose row security is off, or does not bind their owner."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class where relname = any(%s) and relkind = 'r'"
            " and not (relrowsecurity and relforcerowsecurity)",
            [[model._meta.db_table for model in _content()]],
        )
        return [row[0] for row in cursor.fetchall()]


def _content() -> list[Any]:
    return [one for one in apps.get_models() if getattr(one, "balint_kind", None) == Kind.CONTENT]


# Patches


@contextmanager
def changed(mapping: Any, key: Any, value: Any) -> Iterator[None]:
    """Another value in a table of ours."""
    before = mapping[key]
    mapping[key] = value
    prepared.forget()
    try:
        yield
    finally:
        mapping[key] = before
        prepared.forget()


@contextmanager
def attribute(place: Any, name: str, value: Any) -> Iterator[None]:
    """Another value under a name."""
    before = getattr(place, name)
    setattr(place, name, value)
    prepared.forget()
    try:
        yield
    finally:
        setattr(place, name, before)
        prepared.forget()


@contextmanager
def at_address(name: str, view: Callable[..., Any]) -> Iterator[None]:
    """Another view behind an address."""
    pattern = next(one for one in _patterns(get_resolver().url_patterns) if one.name == name)
    with attribute(pattern, "callback", view):
        yield


def _patterns(entries: Any) -> Iterator[Any]:
    for entry in entries:
        if hasattr(entry, "url_patterns"):
            yield from _patterns(entry.url_patterns)
        else:
            yield entry


@contextmanager
def sql(*statements: str) -> Iterator[None]:
    """Done to the database by whoever owns it, and taken back with all that came of it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            become(None, "balint_owner")
            cursor.execute("set constraints all immediate")
            for statement in statements:
                cursor.execute(statement)
            cursor.execute("set constraints all deferred")
            become(None, "balint_app")
        yield
        transaction.set_rollback(True)


@contextmanager
def function_without(name: str, replaced: Mapping[str, str]) -> Iterator[None]:
    """A function of the reader with something in its text replaced, by regular expressions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_get_functiondef(oid) from pg_proc where proname = %s"
            " and pronamespace = 'public'::regnamespace",
            [name],
        )
        text = cursor.fetchone()[0]
    for pattern, other in replaced.items():
        text, times = re.subn(pattern, other, text)
        if not times:
            raise LookupError(f"{name} has no {pattern} to leave out.")
    with sql("set local role balint_reader", text):
        yield
