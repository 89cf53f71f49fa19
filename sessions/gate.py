"""The way into an evening's pages: its circle while it runs, its group before and after."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import wraps
from typing import Any, NoReturn
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone

from groups import gate
from groups.gate import person
from groups.policy import Action
from sessions import conduct, visible
from sessions.models import Session

View = Callable[..., HttpResponse]
ANY = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def inside(request: HttpRequest, pk: UUID, at: datetime) -> Session:
    """A session whose inside the person may enter; else 404, or the agreement's page first."""
    found = visible.entered(person(request), at).select_related("group").filter(pk=pk).first()
    if found is None:
        _refuse(request, pk, Action.ENTER, at)
    return found


def led(request: HttpRequest, pk: UUID, at: datetime) -> Session:
    """A session the person may conduct or put down; else 404, or the agreement's page first."""
    found = visible.conducted(person(request), at).select_related("group").filter(pk=pk).first()
    if found is None:
        _refuse(request, pk, Action.CONDUCT, at)
    return found


def _refuse(request: HttpRequest, pk: UUID, action: Action, at: datetime) -> NoReturn:
    """404, or for a newcomer the agreement; who may do `action` only now waits till morning."""
    session = Session.objects.select_related("group").filter(pk=pk).first()
    if session is None or session.settled_at is None:
        raise Http404
    gate.check(request, session.group, action)
    if visible.running(at).filter(pk=pk).exists():
        raise conduct.CircleIsFixed
    raise Http404


def room_view(
    *methods: str, leaders: bool = False, while_listening: bool = False
) -> Callable[[View], View]:
    """Every address under a session's room: `view(request, session, at)`.

    Decided here and nowhere else: a presenter who sits back may post nothing there but what is
    marked `while_listening`: leaving, and forgetting the own case.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, pk: UUID, **more: Any) -> HttpResponse:
            at = timezone.now()
            session = inside(request, pk, at)
            refused = _refused(request, session, at, methods, while_listening=while_listening)
            if refused is not None:
                return refused
            if leaders and not conduct.may_conduct(session, person(request), at):
                raise Http404
            return view(request, session, at, **more)

        return inner

    return decorate


def _refused(
    request: HttpRequest,
    session: Session,
    at: datetime,
    methods: Collection[str],
    *,
    while_listening: bool,
) -> HttpResponse | None:
    reads = request.method in {"GET", "HEAD"}
    if not reads and not while_listening and conduct.sits_back(session, person(request), at):
        raise conduct.PresenterIsListening
    allowed = request.method in methods or (request.method == "HEAD" and "GET" in methods)
    return None if allowed else HttpResponseNotAllowed(methods)
