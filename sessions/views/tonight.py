"""Emergencies of the evening, for its leaders; and the page of whoever stands in."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from groups import roster
from groups.agreements import in_force
from groups.gate import person
from groups.policy import leaders
from groups.zones import when_words
from members.refusals import Refused
from sessions import gate, leading, planning
from sessions import tonight as emergencies
from sessions.firstpage import names_in_words
from sessions.forms.planning import CancelForm
from sessions.forms.tonight import AloneForm, LeadForm, SubstituteForm
from sessions.models import EveningLead, Session

# What each button does, and what is typed with those that say who leads.
VERBS: dict[str, Callable[..., Any]] = {
    "cancel": planning.cancel,
    "alone": leading.leads_alone,
    "substitute": leading.stands_in,
    "always": leading.as_always,
}
SAID = {
    "cancel": _("The meeting is cancelled. Everyone in the group is told by mail."),
    "alone": _("Everyone in the group is told by mail."),
    "substitute": _("Everyone in the group is told by mail."),
    "always": _("The evening is led as always. Whoever was told otherwise hears of it by mail."),
}
FORMS = {"alone": AloneForm, "substitute": SubstituteForm, "always": LeadForm}


@sensitive_post_parameters("reason")
@require_http_methods(["GET", "HEAD", "POST"])
def tonight(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What changed, whom it has not reached, numbers to ring; cancel, and say who leads."""
    at = timezone.now()
    session = gate.led(request, pk, at)
    leading.check_open(session, at)
    look = emergencies.of(session, to=person(request), at=at)
    forms = _forms(request, session, look, at)
    done, refused = _do(request, session, forms, at)
    if done:
        messages.success(request, done)
        return redirect("tonight", pk)
    context = {"session": session, "look": look, "forms": forms, "refused": refused}
    context |= _moment(request, session, at)
    context["can_undo"] = bool(planning.undoable([session], at))
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


def _forms(
    request: HttpRequest, session: Session, look: emergencies.Tonight, at: datetime
) -> dict[str, Form]:
    """A form for each button, filled with what was typed for the one that was pressed."""
    pressed = request.POST.get("do") if request.method == "POST" else None
    typed = {pressed: request.POST}
    forms: dict[str, Form] = {
        do: form(typed.get(do), leaders=look.leaders) for do, form in FORMS.items()
    }
    names = roster.names(session.group, at)
    forms["cancel"] = CancelForm(typed.get("cancel"), names=names)
    return forms


def _do(
    request: HttpRequest, session: Session, forms: dict[str, Form], at: datetime
) -> tuple[Any, str]:
    """What is said of what was done, or why not; both empty where a form says it itself."""
    do = request.POST.get("do", "")
    if do not in forms or not forms[do].is_valid():
        return "", ""
    try:
        VERBS[do](session, **forms[do].cleaned_data, by=person(request), at=at)
    except Refused as refused:
        return "", str(refused)
    return SAID[do], ""


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
