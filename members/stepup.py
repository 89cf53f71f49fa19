"""A fresh sign-in before what cannot be taken back: exports, and changes of who belongs.

Fresh is a sign-in, or a confirmation of it, within `ACCOUNT_REAUTHENTICATION_TIMEOUT` seconds.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, cast, overload

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils import timezone

from members import typed
from members.identity import acting_as
from members.models import Member
from members.sitting import began_at

View = Callable[..., HttpResponse]
READS = {"GET", "HEAD", "OPTIONS"}


def is_fresh(request: HttpRequest, *, at: datetime) -> bool:
    """Whether the person signed in, or confirmed that it is still them, a short while ago."""
    records = get_authentication_records(request, cast(Member, request.user))
    latest = max([began_at(request), *(float(record.get("at", 0)) for record in records)])
    return at.timestamp() - latest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


@overload
def confirmed_lately(view: View) -> View: ...
@overload
def confirmed_lately(*, reading: bool) -> Callable[[View], View]: ...
def confirmed_lately(view: View | None = None, *, reading: bool = True) -> Any:
    """A view for whom signed in or confirmed lately; others confirm first, and lose nothing typed.

    `reading=False` leaves looking at the page free.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            free = not reading and request.method in READS
            if free or is_fresh(request, at=timezone.now()):
                return view(request, *args, **kwargs)
            return ask(request)

        return inner

    return decorate if view is None else decorate(view)


def ask(request: HttpRequest) -> HttpResponse:
    """To “Is it still you?” and back, with what was typed."""
    member, now = cast(Member, request.user), timezone.now()
    # The office's database role may look at neither keys nor second factors.
    with acting_as(member, "balint_app"):
        ways = get_adapter(request).get_reauthentication_methods(member)
        kept = typed.sealed(request, member, at=now)
    if not ways:
        logout(request)
    if kept:
        request.session[typed.KEY] = kept
    page = ways[0]["url"] if ways else resolve_url(settings.LOGIN_URL)
    return typed.go_to(request, page, _then(request, kept=bool(kept)))


def _then(request: HttpRequest, *, kept: bool) -> str:
    if kept:
        return reverse("typed_again")
    return typed.page_of(request) if request.method in READS else "/"


class ConfirmMiddleware:
    """allauth's own pages ask in the same way, but would keep the whole request in clear.

    Stands after allauth's middleware, so that it hears of the question first.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, ReauthenticationRequired):
            return None
        ways = get_adapter(request).get_reauthentication_methods(request.user)
        page = ways[0]["url"] if ways else resolve_url(settings.LOGIN_URL)
        return typed.go_to(request, page, request.get_full_path())
