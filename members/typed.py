"""What was typed is not lost when a sign-in ran out or has to be confirmed: sealed, for an hour.

It waits in the HTTP session as ciphertext that opens for the same person alone, and is offered
again after signing in. allauth would keep a whole request in clear, so nothing of ours goes there.
"""

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_variables
from django_htmx.http import HttpResponseClientRedirect

from members.envelope import NO_SCOPE, CannotOpen, KeyClass, seal, unseal
from members.models import Member

KEY: Final = "typed"
KEPT_FOR: Final = timedelta(hours=1)
# Of all fields together; nothing a form of ours takes comes near.
LONGEST: Final = 200_000
NEVER_KEPT: Final = {"csrfmiddlewaretoken", "code", "credential", "oldpassword"}


@dataclass(frozen=True)
class Typed:
    """A form as it was posted: where to, and its fields in their order."""

    address: str
    fields: list[tuple[str, str]]


def sealed(request: HttpRequest, member: Member, *, at: datetime) -> dict[str, str] | None:
    """What `member` just posted, as it may stand in an HTTP session; None if that is not to be.

    What another site made a browser post is not kept: later one click would send it as one's own.
    """
    if request.method != "POST" or not _from_our_page(request):
        return None
    fields = _fields(request)
    if sum(len(name) + len(value) for name, value in fields) > LONGEST:
        return None
    kept = {
        "address": request.get_full_path(),
        "fields": fields,
        "until": (at + KEPT_FOR).timestamp(),
    }
    row = uuid4()
    blob = seal(json.dumps(kept), **_place(member, row))
    return {"id": str(row), "whose": _whose(member), "sealed": base64.b64encode(blob).decode()}


def read(request: HttpRequest, member: Member, *, at: datetime) -> Typed | None:
    """What waits for `member`; what waits for somebody else, or too long, is destroyed."""
    kept = _opened(request.session.get(KEY), member)
    if kept is None or kept["until"] <= at.timestamp():
        forget(request)
        return None
    return Typed(kept["address"], [(name, value) for name, value in kept["fields"]])


def forget(request: HttpRequest) -> None:
    """Nothing waits any longer."""
    request.session.pop(KEY, None)


def forget_if_sent(request: HttpRequest, member: Member, *, at: datetime) -> None:
    """What is being posted now to where it belongs no longer waits."""
    kept = read(request, member, at=at) if KEY in request.session else None
    if kept and kept.address == request.get_full_path():
        forget(request)


def go_to(request: HttpRequest, page: str, then: str) -> HttpResponse:
    """The whole browser goes to `page` and from there to `then`, also from within a page."""
    target = f"{page}?{urlencode({'next': then})}"
    if "HX-Request" in request.headers:
        return HttpResponseClientRedirect(target)
    return HttpResponseRedirect(target)


def page_of(request: HttpRequest) -> str:
    """The address a person would come back to: of the page, not of a part it asked for itself."""
    if "HX-Request" not in request.headers:
        return request.get_full_path()
    current = urlsplit(request.headers.get("HX-Current-URL", ""))
    if current.netloc != request.get_host() or not current.path.startswith("/"):
        return "/"
    return f"{current.path}?{current.query}" if current.query else current.path


@sensitive_variables()
def _fields(request: HttpRequest) -> list[tuple[str, str]]:
    return [
        (name, str(value))
        for name, values in request.POST.lists()
        if name not in NEVER_KEPT and "password" not in name
        for value in values
    ]


def _from_our_page(request: HttpRequest) -> bool:
    # Asked by hand: a sign-in that ran out is noticed before Django would ask.
    refusal = CsrfViewMiddleware(lambda request: HttpResponse()).process_view(
        request, lambda request: HttpResponse(), (), {}
    )
    return refusal is None


@sensitive_variables()
def _opened(kept: Any, member: Member) -> Any:
    # What waits for somebody else is not tried: that would stand in the record as tampered with.
    if not isinstance(kept, dict) or kept.get("whose") != _whose(member):
        return None
    try:
        blob = base64.b64decode(kept["sealed"])
        return json.loads(unseal(blob, **_place(member, UUID(kept["id"]))))
    except (CannotOpen, ValueError, KeyError):
        return None


def _whose(member: Member) -> str:
    return salted_hmac("members.typed", str(member.pk), algorithm="sha256").hexdigest()


def _place(member: Member, row: UUID) -> dict[str, Any]:
    return {
        "key_class": KeyClass.SITE,
        "scope": NO_SCOPE,
        "table_column": f"typed by {member.pk}",
        "row": row,
        "version": 0,
    }
