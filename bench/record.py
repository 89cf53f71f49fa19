"""Signs people in, opens each page once and keeps the SQL it asks; run as the web."""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

# A member, a leader and the admin of the first group.
NAMES = ("person0.5", "person0.0", "admin")
AS_PROXIED = {"host": "127.0.0.1", "x-forwarded-proto": "https"}
# What a transaction begins and ends with; the bare side has one of its own.
FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


def record(at: datetime) -> None:
    """Write what `bench.bare` answers from: for each page its path, headers, SQL and size."""
    pages = [_recorded(client, name, path, {}) for client, name, path in _ways(at)]
    feed = pages[-1]
    held = {"If-None-Match": feed["etag"]}
    client = Client(headers=AS_PROXIED)
    pages.append(_recorded(client, "feed, nothing new", feed["path"], held))
    Path(os.environ["BENCH_PAGES"]).write_text(json.dumps(pages))


def _ways(at: datetime) -> Iterator[tuple[Client, str, str]]:
    """Who opens what, the feed last."""
    from groups.models import Group
    from members.identity import acting_as
    from members.models import Member
    from sessions import feeds
    from sessions.models import Session

    with acting_as(None):
        group = Group.objects.get(name="Group 0")
        month = Session.objects.filter(group=group, starts_at__gt=at).order_by("starts_at")[1]
        addresses = [f"{name}@bench.example" for name in NAMES]
        found = {one.email: one for one in Member.objects.filter(email__in=addresses)}
    people = [found[address] for address in addresses]
    member, leader, admin = (_client(one) for one in people)
    yield member, "first page", "/"
    yield member, "month page", f"/calendar/{month.starts_at.year}/{month.starts_at.month}/"
    yield member, "agenda", "/calendar/agenda/"
    yield member, "group's year", f"/groups/{group.pk}/"
    yield member, "session page", f"/sessions/{month.pk}/"
    yield leader, "planning page", f"/groups/{group.pk}/schedule/"
    yield admin, "office, 30 groups", f"/programmes/{group.programme_id}/"
    with acting_as(people[0]):
        token = feeds.make(people[0], at=at)
    yield Client(headers=AS_PROXIED), "feed", f"/calendar/{token}/balint.ics"


def _client(member: Any) -> Client:
    """Signed in, with the second factor that production asks of leaders and admins."""
    from allauth.mfa.models import Authenticator

    from members.identity import acting_as

    with acting_as(member):
        Authenticator.objects.create(user=member, type="totp", data={"secret": "of the bench"})
    client = Client(headers=AS_PROXIED)
    client.force_login(member)
    return client


def _recorded(client: Client, name: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    client.get(path, headers=headers)  # Whatever is loaded once is loaded.
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path, headers=headers)
    if answer.status_code != (304 if headers else 200):
        raise SystemExit(f"{name} answered {answer.status_code}.")
    sql = [query["sql"] for query in asked if not query["sql"].startswith(FRAME)]
    session = client.cookies.get(settings.SESSION_COOKIE_NAME)
    cookie = {"Cookie": f"{session.key}={session.value}"} if session else {}
    return {
        "name": name,
        "path": path,
        "headers": headers | cookie | {"X-Forwarded-Proto": "https"},
        "status": answer.status_code,
        "etag": answer.get("ETag", ""),
        "bytes": len(answer.content),
        "sql": sql,
    }


if __name__ == "__main__":
    django.setup()
    record(timezone.now())
