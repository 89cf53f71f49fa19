"""One request, taken back: what came, in which words the policy's file says it, what it changed."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from django.apps import apps
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client

from members.identity import become
from members.kinds import Kind

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
READS = {"GET", "HEAD"}
OURS = {"members", "groups", "balint_sessions", "account", "mfa"}

# What differs from one answer to the next without saying anything.
TOKENS = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"|nonce-[\w+/=-]+')
CHANGING_HEADERS = {"Date", "Set-Cookie"}
SEEN_HEADERS = {"Vary"}


@dataclass(frozen=True)
class Change:
    """A row that is not what it was: before and after, one of them empty if it came or went."""

    table: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def row(self) -> Mapping[str, Any]:
        return self.after or self.before or {}


@dataclass
class Answer:
    """What a browser got, and what the request did to our tables."""

    status: int
    headers: dict[str, str]
    body: bytes
    changes: list[Change] = field(default_factory=list)
    error: str = ""

    @cached_property
    def masked(self) -> tuple[int, dict[str, str], bytes]:
        """Everything but date, cookies and tokens, to be compared byte by byte."""
        kept = {name: v for name, v in self.headers.items() if name not in CHANGING_HEADERS}
        return self.status, kept, TOKENS.sub(b"", self.body)

    @cached_property
    def text(self) -> str:
        heads = "\n".join(value for name, value in self.headers.items() if name != "Location")
        return self.body.decode(errors="replace") + "\n" + heads

    @property
    def outcome(self) -> str:
        """In one word of the policy's file."""
        if 300 <= self.status < 400 and self.status != 304:
            return _destination(unquote(self.headers.get("Location", "")))
        return "page" if 200 <= self.status < 300 else str(self.status)


def _destination(location: str) -> str:
    if location.startswith("/accounts/login/?next="):
        return "sign-in"
    if location.startswith(("/accounts/reauthenticate/", "/accounts/2fa/reauthenticate/")):
        return "step-up"
    return "agree" if location.endswith("/agreement/") else "moved"


class Watch:
    """Knows every row of ours as it was seeded, and which a request has touched since.

    PostgreSQL counts what each transaction writes by table, so only tables it has touched are read.
    """

    def __init__(self) -> None:
        self.tables = {
            model._meta.db_table: model
            for model in apps.get_models(include_auto_created=True)
            if model._meta.app_label in OURS
        }
        kinds = {table: getattr(model, "balint_kind", None) for table, model in self.tables.items()}
        self.content = frozenset(table for table, kind in kinds.items() if kind == Kind.CONTENT)
        # What somebody said, did or is; letters, keys and records come of that.
        frame = {table for table, kind in kinds.items() if kind == Kind.FRAME}
        self.kept = self.content | frame | {"members_member", "account_emailaddress"}
        self.rows: dict[str, dict[str, dict[str, Any]]] = {}
        with transaction.atomic():
            become(None, "balint_owner")
            for table in self.tables:
                self.rows[table] = self._read(table)
            with connection.cursor() as cursor:
                cursor.execute(
                    "select array_agg(oid order by relname) from pg_class where relname = any(%s)"
                    " and relnamespace = 'public'::regnamespace",
                    [list(self.tables)],
                )
                self.oids = cursor.fetchone()[0]
            become(None, "balint_app")
        self.counted = self._count()

    def _count(self) -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "select oid::regclass::text, pg_stat_get_xact_tuples_inserted(oid)"
                " + pg_stat_get_xact_tuples_updated(oid) + pg_stat_get_xact_tuples_deleted(oid)"
                " from unnest(%s::oid[]) as t(oid)",
                [self.oids],
            )
            return dict(cursor.fetchall())

    def _read(self, table: str) -> dict[str, dict[str, Any]]:
        with connection.cursor() as cursor:
            cursor.execute(f'select to_jsonb(t)::text from "{table}" t')  # noqa: S608
            rows = [json.loads(row[0]) for row in cursor.fetchall()]
        return {str(row.get("id") or row): row for row in rows}

    def look_away(self) -> None:
        """What was written until now is none of the next request's."""
        self.counted = self._count()

    def changes(self) -> list[Change]:
        """What the present request changed; ask before it is taken back."""
        counted = self._count()
        touched = [table for table, n in counted.items() if n != self.counted.get(table)]
        self.counted = counted
        if not touched:
            return []
        become(None, "balint_owner")
        return [change for table in touched for change in self._differences(table)]

    def _differences(self, table: str) -> list[Change]:
        before, after = self.rows[table], self._read(table)
        return [
            Change(table, before.get(key), after.get(key))
            for key in before.keys() | after.keys()
            if before.get(key) != after.get(key)
        ]


def ask(
    watch: Watch, client: Client, method: str, path: str, data: Mapping[str, Any] | None = None
) -> Answer:
    """Ask, look what came and what was changed, and take it back."""
    cache.clear()  # how often one may try is another proof
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    with transaction.atomic():
        response = (
            client.generic(method, path) if method != "POST" else client.post(path, data or {})
        )
        answer = Answer(response.status_code, dict(response.headers), _body(response))
        if response.status_code >= 500:
            answer.error = repr(getattr(response, "exc_info", None) or client.exc_info)
            client.exc_info = None
        try:
            answer.changes = watch.changes()
        except DatabaseError as broken:
            answer.error = repr(broken)
        transaction.set_rollback(True)
    client.cookies.clear()
    for name, value in cookies.items():
        client.cookies[name] = value
    return answer


def _body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def same_member(value: Any, member: UUID | None) -> bool:
    """Whether a column of a row names this person."""
    return member is not None and value == str(member)
