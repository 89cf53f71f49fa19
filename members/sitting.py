"""How long a sign-in lasts: half an hour without a step, and never beyond twelve hours.

While a group meets, its room is not interrupted: the app that knows rooms registers what is exempt.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils import timezone

from members import typed
from members.identity import BY_TOKEN, HEALTH
from members.models import Member

BEGAN: Final = "sitting_began"
SEEN: Final = "sitting_seen"
# A page does not cost a write each.
WRITTEN_EVERY: Final = timedelta(minutes=1)
ACCOUNTS: Final = "/accounts/"

Condition = Callable[[HttpRequest, datetime], bool]
# Asked only where a limit would bite: whether this request goes on in spite of it.
exempt: list[Condition] = []
# What an open page asks by itself, and is no sign of anybody.
asked_by_itself: list[Condition] = []


def begin(sender: Any, request: HttpRequest, user: Member, **more: Any) -> None:
    """Somebody signed in: the clock starts, and what somebody else typed is destroyed."""
    now = timezone.now()
    request.session[BEGAN] = request.session[SEEN] = int(now.timestamp())
    if typed.KEY in request.session:
        typed.read(request, user, at=now)


def listen() -> None:
    """Hear of every sign-in, whatever it was made with."""
    user_logged_in.connect(begin, dispatch_uid="members.sitting")


def began_at(request: HttpRequest) -> float:
    """When this sign-in was made, in seconds; 0 if that is not known."""
    return float(request.session.get(BEGAN, 0))


class SittingMiddleware:
    """Ends a sign-in that ran out; what was being typed waits for the same person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not watched(request) or not request.user.is_authenticated:
            return self.get_response(request)
        now = timezone.now()
        over = _is_over(request, now)
        if over and not any(goes_on(request, now) for goes_on in exempt):
            return _end(request, now) or self.get_response(request)
        if request.method == "POST":
            typed.forget_if_sent(request, request.user, at=now)
        if not any(asks(request, now) for asks in asked_by_itself):
            _note(request, now)
        return self.get_response(request)


def watched(request: HttpRequest) -> bool:
    """Somebody with a browser: not what machines ask, with or without a cookie that comes along."""
    path = request.path_info
    alone = path in HEALTH or BY_TOKEN.match(path)
    return not alone and not path.startswith(settings.STATIC_URL)


def _is_over(request: HttpRequest, now: datetime) -> bool:
    """A sign-in without a beginning is over: it is not one of ours."""
    at, seen = now.timestamp(), float(request.session.get(SEEN, 0))
    idle = at - seen > settings.SITTING_IDLE
    return idle or at - began_at(request) > settings.SITTING_ABSOLUTE


def _note(request: HttpRequest, now: datetime) -> None:
    if now.timestamp() - request.session.get(SEEN, 0) >= WRITTEN_EVERY.total_seconds():
        request.session[SEEN] = int(now.timestamp())


def _end(request: HttpRequest, now: datetime) -> HttpResponse | None:
    """Sign out; a form goes to sign-in with what was typed, a page as for anybody unknown."""
    member = cast(Member, request.user)
    form = request.method == "POST" and not request.path_info.startswith(ACCOUNTS)
    kept = typed.sealed(request, member, at=now) if form else None
    logout(request)
    if kept:
        request.session[typed.KEY] = kept
    if not form:
        return None
    then = reverse("typed_again") if kept else "/"
    return typed.go_to(request, resolve_url(settings.LOGIN_URL), then)
