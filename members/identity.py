"""Who is asking, told to the database in the transaction that asks.

Every request, task and command runs inside one transaction of ours that sets the identity and the
role with `set_config(…, true)`: gone at its end, whatever pool the connection goes back to. A query
outside sees no content at all. (A session-level SET leaks through pools; SET LOCAL under
ATOMIC_REQUESTS is void before the view.)
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from members import audit
from members.models import Member

DbRole = Literal["balint_app", "balint_roster", "balint_worker", "balint_owner"]

ROLE_OF_LOGIN: dict[str, DbRole] = {
    "app": "balint_app",
    "owner": "balint_owner",
    "worker": "balint_worker",
}
# Pages of the office: their database role has no right on any content table.
OFFICE = "/programmes/"
# Whose a token is: a cookie that comes along is neither read nor set.
BY_TOKEN = re.compile(r"^/(?:calendar/[^/]+/balint\.ics|(?:answer|unsubscribe)/[^/]+/)$")
# Asked by machines that must hear an answer even when the database is away.
HEALTH = {"/healthz", "/readyz"}


def become(member: Member | None, role: DbRole | None = None) -> None:
    """Set identity and role for the rest of the present transaction."""
    _set(str(member.pk) if member and member.pk else "", role or ROLE_OF_LOGIN[settings.LOGIN])


@contextmanager
def acting_as(
    member: Member | None, role: DbRole | None = None, *, keeps_actor: bool = False
) -> Iterator[None]:
    """One transaction in the name of `member`, or of nobody; for tasks, commands and tests.

    Inside another transaction whoever asked there goes on afterwards: an identity set in a
    savepoint outlives its release. What was noted for the record is written last. With
    `keeps_actor` the record goes on naming whoever acted outside.
    """
    acted = audit.actor.get()
    before = _identity() if connection.in_atomic_block else None
    try:
        with audit.collected() as noted:
            try:
                with transaction.atomic():
                    become(member, role)
                    if keeps_actor:
                        audit.actor.set(acted)
                    yield
                    noted.write()
            except Exception:
                noted.write_survivors(lambda: become(member, role))
                raise
        if before:
            _set(*before)
    finally:
        audit.actor.set(acted)


def _identity() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('app.member_id', true), current_setting('role')")
        member, role = cursor.fetchone()
    return member or "", role


def _set(member: str, role: str) -> None:
    audit.actor.set(UUID(member) if member else None)
    with connection.cursor() as cursor:
        cursor.execute(
            "select set_config('app.member_id', %s, true), set_config('role', %s, true)",
            [member, role],
        )


class IdentityMiddleware:
    """One transaction around the view and its template; a 500 takes everything back.

    What was noted for the record is written just before it commits.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in HEALTH:
            return self.get_response(request)
        with audit.collected() as noted:
            response = self._answered(request, noted)
            if response.status_code >= 500:
                noted.write_survivors(lambda: self._become(request))
        return response

    def _answered(self, request: HttpRequest, noted: audit.Notes) -> HttpResponse:
        with transaction.atomic():
            self._become(request)
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
            else:
                noted.write()
            return response

    def _become(self, request: HttpRequest) -> None:
        office = request.path_info.startswith(OFFICE)
        become(self._member(request), "balint_roster" if office else None)

    @staticmethod
    def _member(request: HttpRequest) -> Member | None:
        if BY_TOKEN.match(request.path_info):
            return None
        return request.user if request.user.is_authenticated else None


class PersonalTimeMiddleware:
    """Pages speak the person's language and know the person's zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        alone = path in HEALTH or path.endswith(".ics") or BY_TOKEN.match(path)
        if alone or not request.user.is_authenticated:
            return self.get_response(request)
        with translation.override(request.user.language), timezone.override(request.user.time_zone):
            return self.get_response(request)
