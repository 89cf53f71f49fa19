"""Emergencies of the evening, for its leaders; and the page of whoever stands in."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from groups.agreements import in_force
from groups.gate import person
from groups.policy import leaders
from groups.zones import when_words
from members.refusals import Refused
from sessions import gate, leading
from sessions import tonight as emergencies
from sessions.firstpage import names_in_words
from sessions.forms.tonight import AloneForm, LeadForm, SubstituteForm
from sessions.models import EveningLead, Session

# By the button: what is typed with it, and what it does.
WAYS: dict[str, tuple[type[LeadForm], Callable[..., Any]]] = {
    "alone": (AloneForm, leading.leads_alone),
    "substitute": (SubstituteForm, leading.stands_in),
    "always": (LeadForm, leading.as_always),
}


@require_http_methods(["GET", "HEAD", "POST"])
def tonight(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What changed, whom it has not reached, numbers to ring; cancel, and say who leads."""
    at = timezone.now()
    session = gate.led(request, pk, at)
    leading.check_open(session, at)
    look = emergencies.of(session, to=person(request), at=at)
    forms = _forms(request, look)
    done, refused = _do(request, session, forms, at)
    if done:
        messages.success(request, done)
        return redirect("tonight", pk)
    context = {"session": session, "look": look, "forms": forms, "refused": refused}
    context |= _moment(request, session, at)
    return render(request, "sessions/tonight.html", context, status=409 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def standing_in(request: HttpRequest, pk: UUID) -> HttpResponse:
    """For the one who is asked to lead once: when and where; after the agreement who and how."""
    at = timezone.now()
    session = get_object_or_404(Session.objects.select_related("group"), pk=pk)
    lead = leading.asked(session, person(request), at)
    if lead is None:
        raise Http404
    refused = ""
    if request.method == "POST":
        refused = _agree(request, session, at)
        if not refused:
            return redirect("standing_in", pk)
    context = _standing_in(session, lead, at) | _moment(request, session, at)
    context["refused"] = refused
    return render(request, "sessions/standing_in.html", context, status=409 if refused else 200)


def _forms(request: HttpRequest, look: emergencies.Tonight) -> dict[str, LeadForm]:
    """A form for each button, filled with what was typed for the one that was pressed."""
    pressed = request.POST.get("do") if request.method == "POST" else None
    return {
        do: form(request.POST if do == pressed else None, leaders=look.leaders)
        for do, (form, _verb) in WAYS.items()
    }


def _do(
    request: HttpRequest, session: Session, forms: dict[str, LeadForm], at: datetime
) -> tuple[str, str]:
    """What was done in words, or why not; both empty where a form says it itself."""
    do = request.POST.get("do", "")
    if do not in forms or not forms[do].is_valid():
        return "", ""
    try:
        WAYS[do][1](session, **forms[do].cleaned_data, by=person(request), at=at)
    except Refused as refused:
        return "", str(refused)
    if do == "always":
        return _("The evening is led as always. Ring whoever was told otherwise."), ""
    return _("Everyone in the group is told by mail."), ""


def _agree(request: HttpRequest, session: Session, at: datetime) -> str:
    """Agree to the version that stood on the page; why not, or nothing."""
    read = request.POST.get("version", "")
    try:
        version = int(read) if read.isdecimal() else 0
        leading.agree(session, version=version, by=person(request), at=at)
    except Refused as refused:
        return str(refused)
    return ""


def _standing_in(session: Session, lead: EveningLead, at: datetime) -> dict[str, Any]:
    names = [str(leader) for leader in leaders(session.group, at)]
    return {
        "session": session,
        "lead": lead,
        "leaders": names_in_words(names),
        "text": in_force(session.group, at),
        "evening": leading.evening(lead, session) if lead.agreed_at else None,
    }


def _moment(request: HttpRequest, session: Session, at: datetime) -> dict[str, Any]:
    """When it is in words, and whether that is today."""
    today = at.astimezone(session.zone).date()
    when = when_words(
        session.starts_at, session.minutes, session.time_zone, person(request).time_zone, today
    )
    return {
        "when": when,
        "today": when.on == today,
        "ahead": not session.cancelled and session.phase == "planned" and at < session.starts_at,
    }
