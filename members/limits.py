"""How often: limits of our own beside allauth's, counted in the same shared cache.

Whoever reaches one reads when to try again; nothing that was counted is taken back with a request.
"""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import ngettext

from members.refusals import Refused

View = Callable[..., HttpResponse]

# Amount, time, and of whom: `user` the person, `ip` the machine, `key` what is named.
RATES: Final[dict[str, str]] = {
    # An export reads everything that is one's own.
    "export": "5/h/user",
    # Each is a letter to somebody who asked for none.
    "propose": "30/h/user",
    "resend": "10/h/user",
    # Tokens cannot be guessed; who tries makes work for the database, and is heard of.
    "guess": "30/10m/ip",
    # Coming, not coming, coming after all: somebody who changes their mind, not a program.
    "by_mail": "30/h/key",
    # Wrong passwords for one account, from machines it never signed in from (members.accounts).
    "sign_in_address": "300/d/key",
}
# allauth does not say which of its limits was reached: those that end here are of a minute.
A_MINUTE: Final = 60
OF_A_TOKEN: Final = re.compile(
    r"^/(?:(?:invitations|answer|unsubscribe)/[^/]+/|calendar/[^/]+/balint\.ics)$"
)


def take(request: HttpRequest, action: str, **whose: Any) -> ratelimit.RateLimitUsage | None:
    """Count one; None when there were too many. Counted for every method."""
    return ratelimit.consume(
        request, app="balint", action=action, config=RATES, limit_get=True, **whose
    )


def wait(request: HttpRequest, action: str, **whose: Any) -> int:
    """Seconds until one more is allowed; 0 for now. Counts nothing, and takes no lock."""
    now, longest = time.time(), 0.0
    for rate in ratelimit.get_rates(app="balint", action=action, config=RATES):
        key = ratelimit.get_cache_key(request, app="balint", action=action, rate=rate, **whose)
        allowed, history = ratelimit.apply_rate(cache.get(key, []), now, rate, dry_run=True)
        if not allowed:
            longest = max(longest, history[rate.amount - 1] + rate.duration - now)
    return int(longest) + 1 if longest else 0


def machine(request: HttpRequest) -> str:
    """Where a request comes from, as limits count it: of long addresses the network."""
    return ratelimit.get_ip(request)


def network(address: str) -> str:
    """The same of an address that was kept."""
    return ratelimit.truncate_ip(address)


class TooOften(Refused):
    """For a form that says so itself, and keeps what was typed."""

    status = 429

    def __init__(self, seconds: int) -> None:
        self.minutes = _minutes(seconds)
        super().__init__()

    def __str__(self) -> str:
        one, more = "Please try again in a minute.", "Please try again in %(counter)s minutes."
        return ngettext(one, more, self.minutes) % {"counter": self.minutes}


def spend(request: HttpRequest, action: str) -> None:
    """Count one of the person's; raises TooOften when there were too many."""
    if not take(request, action, user=request.user):
        raise TooOften(wait(request, action, user=request.user))


def _minutes(seconds: int) -> int:
    return -(-timedelta(seconds=max(seconds, 1)) // timedelta(minutes=1))


def limited(action: str, *, reading: bool = False) -> Callable[[View], View]:
    """A view a person may ask for this often; `reading` counts looking at it as well."""

    def decorate(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            counted = reading or request.method not in {"GET", "HEAD", "OPTIONS"}
            if counted and not take(request, action, user=request.user):
                return refuse(request, wait(request, action, user=request.user))
            return view(request, *args, **kwargs)

        return inner

    return decorate


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What allauth answers when one of its own limits is reached."""
    return refuse(request, A_MINUTE)


def refuse(request: HttpRequest, seconds: int) -> HttpResponse:
    """429, with the time after which it is worth trying again."""
    # Without the request: the page knows nobody, whatever role the database was told.
    page = render_to_string("429.html", {"minutes": _minutes(seconds)})
    response = HttpResponse(page, status=429)
    response.headers["Retry-After"] = str(max(seconds, 1))
    return response


class GuessedTokenMiddleware:
    """A machine that asks for many invitations, feeds or answers that are none has to wait.

    Stands outside the transaction, where a page that is not there has become an answer.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not OF_A_TOKEN.match(request.path_info):
            return self.get_response(request)
        response = self.get_response(request)
        # What opens is answered, whoever guesses behind the same address.
        if response.status_code == 404 and not take(request, "guess"):
            return refuse(request, wait(request, "guess"))
        return response
