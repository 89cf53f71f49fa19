"""Addresses of the proof under load: everything the database lets one see, and ways to crash."""

from uuid import UUID

from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from balint.urls import urlpatterns as addresses

# Not one condition: whatever comes back is what row-level security lets pass.
EVERYTHING = """
select id::text from balint_sessions_casepresentation
union all select id::text from balint_sessions_answer
union all select id::text from balint_sessions_attendance
union all select id::text from groups_leavingreason
union all select id::text from groups_leave
union all select id::text from groups_entrance
union all select id::text from members_phone
"""


NEWEST = """
select id, presenter_id, title_sealed from balint_sessions_casepresentation
where group_id = %s order by forget_on desc limit 20
"""


def seen() -> list[str]:
    """The ids of all rows of content that the present identity reaches."""
    with connection.cursor() as cursor:
        cursor.execute(EVERYTHING)
        return [row[0] for row in cursor.fetchall()]


def identity() -> tuple[str, str]:
    """Who the database takes us for, and under which role."""
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('app.member_id', true), current_role")
        return cursor.fetchone()


def _answer(rows: list[str]) -> JsonResponse:
    member, role = identity()
    return JsonResponse({"member": member or "", "role": role, "rows": rows})


def rows(request: HttpRequest) -> HttpResponse:
    return _answer(seen())


def newest(request: HttpRequest, group: UUID) -> HttpResponse:
    """The newest cases of one group, as a page asks for them: the same rows, secured or not."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST, [group])
        return JsonResponse({"rows": [str(row[0]) for row in cursor.fetchall()]})


def office(request: HttpRequest) -> HttpResponse:
    """The office's role is refused by every table before a row is looked at."""
    try:
        with transaction.atomic():
            return _answer(seen())
    except ProgrammingError:
        return _answer([])


def crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(f"with {len(seen())} rows in hand")


def crash_in_the_database(request: HttpRequest) -> HttpResponse:
    seen()
    with connection.cursor() as cursor:
        cursor.execute("select 1 / 0")
    return HttpResponse()


urlpatterns = [
    path("load/rows/", rows),
    path("load/newest/<uuid:group>/", newest),
    path("invitations/<uuid:group>/", newest),
    # Open to everybody, so that it also answers who is not signed in.
    path("invitations/load/", rows),
    path("programmes/load/", office),
    path("load/crash/", crash),
    path("load/database/", crash_in_the_database),
    *addresses,
]
