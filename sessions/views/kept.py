"""“What is kept about you”, “forget now” beside what is one's own, and all of it as a file."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from groups.gate import person
from groups.models import Leave
from members.limits import limited
from members.models import Phone
from members.stepup import confirmed_lately
from sessions import export
from sessions import kept as keeping
from sessions.models import Answer

READ_OR_FORGET = ["GET", "HEAD", "POST"]
STAYS = {
    "answer": gettext_lazy(
        "The leaders no longer see why you could not come. That you could not is kept until 30 "
        "days after the meeting."
    ),
    "leave": gettext_lazy(
        "The leaders no longer see why you are away. That you are, and until when, stays."
    ),
    "leaving": gettext_lazy("The leaders no longer see why you leave. The date stays."),
    "phone": gettext_lazy("No leader can ring you any more. You can give a number again."),
}


@require_safe
def kept(request: HttpRequest) -> HttpResponse:
    """What is kept about you, until when, with “forget now” beside what is yours to forget."""
    page = keeping.about(person(request), timezone.now())
    return render(request, "sessions/kept.html", {"kept": page, "member": person(request)})


@require_http_methods(READ_OR_FORGET)
def answer_reason_forget(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Why one could not come; also after leaving the group."""
    found = _own(Answer.objects.exclude(reason_sealed=None), request, pk)
    return _asked_once(
        request, "answer", lambda: keeping.forget_answers_reason(found, by=person(request))
    )


@require_http_methods(READ_OR_FORGET)
def leave_reason_forget(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Why one is or was away."""
    found = _own(Leave.objects.exclude(reason_sealed=None), request, pk)
    return _asked_once(
        request, "leave", lambda: keeping.forget_leaves_reason(found, by=person(request))
    )


@require_http_methods(READ_OR_FORGET)
def leaving_reason_forget(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Why one left, as one wrote it oneself."""
    found = _own(keeping.leaving_reasons(person(request)), request, pk)
    return _asked_once(
        request, "leaving", lambda: keeping.forget_leaving_reason(found, by=person(request))
    )


@require_http_methods(READ_OR_FORGET)
def phone_forget(request: HttpRequest) -> HttpResponse:
    """The own number to ring."""
    if not Phone.objects.filter(member=person(request)).exists():
        return redirect("settings_kept")
    return _asked_once(request, "phone", lambda: keeping.forget_phone(by=person(request)))


@confirmed_lately(reading=False)
@limited("export")
@require_http_methods(["GET", "HEAD", "POST"])
def settings_export(request: HttpRequest) -> HttpResponse:
    """What is one's own, as a file; built whole before a byte of it goes, and stored nowhere."""
    if request.method != "POST":
        return render(request, "sessions/export.html")
    content = export.take(by=person(request), at=timezone.now())
    headers = {
        "Content-Disposition": 'attachment; filename="balint.json"',
        "Cache-Control": "no-store",
    }
    return HttpResponse(content, "application/json", headers=headers)


def _own(rows: QuerySet[Any], request: HttpRequest, pk: UUID) -> Any:
    return get_object_or_404(rows.filter(member=person(request)), pk=pk)


def _asked_once(request: HttpRequest, what: str, forget: Callable[[], None]) -> HttpResponse:
    """The page that asks, and then the forgetting."""
    if request.method == "POST":
        forget()
        messages.success(request, _("Forgotten."))
        return redirect("settings_kept")
    return render(request, "sessions/forget_now.html", {"stays": STAYS[what], "what": what})
