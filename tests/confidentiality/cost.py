"""What safety costs, side by side in one run: ratios for the reader, and nothing to pass or fail.

Two copies of one database with 30,000 cases in 300 groups; in one of them row-level security is
off. The same query, and the same page, are asked of both in turn.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, connections, transaction
from django.test import override_settings
from django.utils import timezone

from groups.models import Acceptance, Agreement, Group, Membership, Programme
from members import audit
from members.envelope import KeyClass, seal
from members.identity import acting_as, become
from members.kinds import Kind
from members.models import Member
from sessions.models import CasePresence, CasePresentation, Session
from tests import servers
from tests.confidentiality.ground import Size, copy, own_database, signed_in, speaking_to
from tests.confidentiality.identity import Person, ask
from tests.confidentiality.identity_urls import NEWEST
from tests.confidentiality.interference import wrapper_of
from tests.world import years_ago

GROUPS, CASES = {"small": 4, "whole": 300}, {"small": 10, "whole": 100}
PEOPLE = 3
TIMES = {"small": 20, "whole": 400}
DAY = timedelta(days=1)
WITHOUT_IDENTITY = "members.identity.IdentityMiddleware"


def run(size: Size) -> dict[str, Any]:
    """Medians and their ratios; nothing fails here."""
    with own_database() as name:
        with speaking_to(name, "SUPERUSER"), transaction.atomic():
            group, member, session = _seeded(size)
        # While the database below is the default one, so that its cookie is known to both copies.
        cookie = signed_in(member).cookies["sessionid"].value
        connections["default"].close()
        with ExitStack() as stack:
            on, off = (stack.enter_context(copy(name)) for _copy in range(2))
            _without_row_security(off)
            stack.enter_context(speaking_to(on))
            secure, bare = (wrapper_of(database, "balint_app") for database in (on, off))
            stack.callback(secure.close)
            stack.callback(bare.close)
            person = Person(member, cookie, frozenset())
            figures = _queries(secure, bare, member, group, TIMES[size])
            figures |= _requests(secure, bare, person, group, TIMES[size])
            figures |= _pages(secure, bare, person, session, TIMES[size])
            with _as_default(secure):
                figures |= _decryption(member, group, TIMES[size])
                figures |= _notes(member, group, TIMES[size])
    return {"cost_cases": GROUPS[size] * CASES[size], **figures, "failed": 0}


def _seeded(size: Size) -> tuple[Any, Member, Any]:
    """Groups with their people and cases; one group, one of its people and one of its dates."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
    programme = Programme.objects.create(name="North programme")
    groups = [Group(programme=programme, name=f"Group {n}") for n in range(GROUPS[size])]
    Group.objects.bulk_create(groups)
    everyone = [
        (group, Member(email=f"{n}.{m}@example.org", name=f"Dr {n} {m}", password="!"))
        for n, group in enumerate(groups)
        for m in range(PEOPLE)
    ]
    Member.objects.bulk_create([member for _group, member in everyone])
    _belonging(groups, everyone)
    sessions = [_session(group, now - n * DAY) for group in groups for n in range(1, 3)]
    Session.objects.bulk_create(sessions)
    _cases(sessions, everyone, CASES[size])
    with connection.cursor() as cursor:
        cursor.execute("analyze")
    return groups[0].pk, everyone[0][1], sessions[0].pk


def _belonging(groups: Sequence[Group], everyone: Sequence[tuple[Group, Member]]) -> None:
    agreed = {
        group.pk: Agreement(group=group, version=1, text="Stays.", in_force_at=years_ago(2))
        for group in groups
    }
    Agreement.objects.bulk_create(agreed.values())
    since = years_ago(1)
    Membership.objects.bulk_create(
        Membership(group=group, member=member, role="member", starts_at=since)
        for group, member in everyone
    )
    Acceptance.objects.bulk_create(
        Acceptance(agreement=agreed[group.pk], group=group, member=member, accepted_at=since)
        for group, member in everyone
    )


def _session(group: Group, at: Any) -> Session:
    return Session(
        group=group,
        starts_at=at - DAY,
        minutes=90,
        phase="closed",
        time_zone="UTC",
        settled_at=at - 9 * DAY,
        closed_at=at,
        runs_until=at,
        updated_at=at,
    )


def _cases(
    sessions: Sequence[Session], everyone: Sequence[tuple[Group, Member]], a_group: int
) -> None:
    people: dict[Any, list[Member]] = {}
    for group, member in everyone:
        people.setdefault(group.pk, []).append(member)
    cases, presences = [], []
    for session in sessions:
        for order in range(a_group // 2):
            case = CasePresentation(
                session=session,
                group_id=session.group_id,
                order=order,
                presenter=people[session.group_id][order % PEOPLE],
                forget_on=date.today() + (order % 90 + 2) * DAY,
            )
            if order < 20:
                case.title = "The patient with two chairs"
            cases.append(case)
            presences += [
                CasePresence(case=case, group_id=session.group_id, member=member)
                for member in people[session.group_id]
            ]
    CasePresentation.objects.bulk_create(cases, batch_size=2000)
    CasePresence.objects.bulk_create(presences, batch_size=2000)


def _without_row_security(name: str) -> None:
    """Every policy stays, and none is asked."""
    tables = [
        model._meta.db_table
        for model in apps.get_models()
        if getattr(model, "balint_kind", None) == Kind.CONTENT
    ]
    import psycopg

    with psycopg.connect(servers.url("SUPERUSER", name), autocommit=True) as superuser:
        for table in tables:
            superuser.execute(f'alter table "{table}" disable row level security')


@contextmanager
def _as_default(wrapper: Any) -> Any:
    before = connections["default"]
    connections["default"] = wrapper
    try:
        yield
    finally:
        connections["default"] = before


def _in_turn(times: int, **ways: Callable[[], object]) -> dict[str, float]:
    """The median of each way in microseconds, every way asked in every turn."""
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(times + times // 10):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            if turn >= times // 10:
                measured[name].append(time.perf_counter() - begun)
    return {name: statistics.median(found) * 1e6 for name, found in measured.items()}


def _queries(secure: Any, bare: Any, member: Member, group: Any, times: int) -> dict[str, Any]:
    """The newest twenty cases of a group, inside a transaction that knows who asks."""

    def asked(wrapper: Any) -> Callable[[], object]:
        def query() -> object:
            with wrapper.cursor() as cursor:
                cursor.execute(NEWEST, [group])
                return cursor.fetchall()

        return query

    with ExitStack() as stack:
        for wrapper in (secure, bare):
            stack.enter_context(_open(wrapper, member))
        found = _in_turn(times, on=asked(secure), off=asked(bare))
    return {
        "query_us": round(found["on"]),
        "query_without_us": round(found["off"]),
        "query_ratio": round(found["on"] / found["off"], 2),
    }


@contextmanager
def _open(wrapper: Any, member: Member) -> Any:
    with _as_default(wrapper):
        atomic = transaction.atomic()
        atomic.__enter__()
        become(member, "balint_app")
    yield
    with _as_default(wrapper):
        atomic.__exit__(None, None, None)


def _requests(secure: Any, bare: Any, person: Person, group: Any, times: int) -> dict[str, Any]:
    """A light page through the whole application: secured, policies off, and nobody told who."""
    without = [name for name in _middleware() if name != WITHOUT_IDENTITY]
    with override_settings(ROOT_URLCONF="tests.confidentiality.identity_urls"):
        ours = WSGIHandler()
        with override_settings(MIDDLEWARE=without):
            plain = WSGIHandler()
        found = _in_turn(
            times,
            on=_get(secure, ours, f"/load/newest/{group}/", person),
            off=_get(bare, ours, f"/load/newest/{group}/", person),
            without=_get(bare, plain, f"/invitations/{group}/", person),
        )
    return {
        "request_us": round(found["on"]),
        "request_policies_off_us": round(found["off"]),
        "request_without_identity_us": round(found["without"]),
        "request_ratio": round(found["on"] / found["off"], 2),
    }


def _middleware() -> list[str]:
    from django.conf import settings

    return list(settings.MIDDLEWARE)


def _pages(secure: Any, bare: Any, person: Person, session: Any, times: int) -> dict[str, Any]:
    application = WSGIHandler()
    path = f"/sessions/{session}/"
    found = _in_turn(
        times // 4 + 1,
        on=_get(secure, application, path, person),
        off=_get(bare, application, path, person),
    )
    return {
        "page_us": round(found["on"]),
        "page_without_us": round(found["off"]),
        "page_ratio": round(found["on"] / found["off"], 2),
    }


def _get(wrapper: Any, application: WSGIHandler, path: str, person: Person) -> Callable[[], object]:
    def get() -> object:
        # Kept open, as a pool would: what it costs to connect is no part of this.
        wrapper.close_at = None
        wrapper.settings_dict["CONN_MAX_AGE"] = None
        with _as_default(wrapper):
            return ask(application, path, person)

    return get


def _decryption(member: Member, group: Any, times: int) -> dict[str, Any]:
    """Twenty titled cases fetched, and fetched and read."""
    rows = CasePresentation.objects.filter(group=group, title_sealed__isnull=False)[:20]

    def fetched() -> list[CasePresentation]:
        return list(rows.all())

    def read() -> list[str]:
        return [case.title for case in rows.all()]

    with acting_as(member, "balint_app"):
        count = len(fetched())
        found = _in_turn(times, fetched=fetched, read=read)
    return {
        "decryption_us_a_row": round((found["read"] - found["fetched"]) / count, 1),
        "decryption_ratio": round(found["read"] / found["fetched"], 2),
    }


def _notes(member: Member, group: Any, times: int) -> dict[str, Any]:
    """One transaction that seals a text, with a note in the record and without."""
    place: dict[str, Any] = {
        "key_class": KeyClass.CASE,
        "scope": group,
        "table_column": "cost",
        "version": 1,
    }

    def unnoted() -> None:
        with acting_as(member, "balint_app"):
            seal("The patient with two chairs", row=uuid4(), **place)

    def noted() -> None:
        with acting_as(member, "balint_app"):
            seal("The patient with two chairs", row=uuid4(), **place)
            audit.note(audit.READ, audit.Thing.CASE, group=group, about=uuid4())

    found = _in_turn(times // 2 + 1, noted=noted, unnoted=unnoted)
    return {
        "note_us": round(found["noted"] - found["unnoted"]),
        "note_ratio": round(found["noted"] / found["unnoted"], 2),
    }
