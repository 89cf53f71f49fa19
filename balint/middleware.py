"""Not signed in: the same redirect to sign-in for any path, whether it exists or not."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

from members import typed

# Paths open to anybody, each with its reason.
OPEN_TO_ALL: dict[str, str] = {
    r"^/$": "the door: what a Balint group is",
    r"^/about/$": "what to expect as a member",
    r"^/healthz$": "the supervisor asks whether the process lives",
    r"^/readyz$": "the proxy asks whether to send people here",
    r"^/static/": "style and scripts of the door",
    r"^/invitations/[^/]+/$": "a person invited has no account yet; the token is the proof",
    r"^/calendar/[^/]+/balint\.ics$": "calendars cannot sign in; the token is the proof",
    r"^/answer/[^/]+/$": "“I can’t come” from a letter; the token is the proof",
    r"^/unsubscribe/[^/]+/$": "mail programs post here; the token is the proof",
    r"^/accounts/(login|logout|signup|password/reset|confirm-email|inactive)/": "signing in itself",
    r"^/accounts/2fa/(authenticate|webauthn/login)/": "the second step of signing in",
    r"^/accounts/reauthenticate/": "allauth asks again, and refuses who is not signed in",
}
if settings.DEMO:
    OPEN_TO_ALL[r"^/demo/mail/"] = "the demo's people have no mailbox; invitations arrive here"
_OPEN = re.compile("|".join(OPEN_TO_ALL))


class SignInFirstMiddleware:
    """Everything but the paths above wants a signed-in person, before any page is looked up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _OPEN.match(request.path_info) or request.user.is_authenticated:
            return self.get_response(request)
        return typed.go_to(request, resolve_url(settings.LOGIN_URL), typed.page_of(request))
