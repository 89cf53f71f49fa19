"""Round the evening, for its leaders: before the door, the card for the knee, afterwards."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from groups.gate import person
from groups.zones import When, time_words, when_words
from members.refusals import Refused
from sessions import (
    afterwards,
    before,
    card,
    conduct,
    gate,
    notices,
    strip,
    visible,
    whereabouts,
)
from sessions.firstpage import names_in_words
from sessions.forms.evening import AfterwardsForms
from sessions.models import Session
from sessions.phases import NAMES, QUESTIONS, Phase, question
from sessions.timetable import Slot


@require_safe
def before_door(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Who is away, back, new or saying farewell; the door, numbers to ring; open, or cancel."""
    at = timezone.now()
    session = gate.led(request, pk, at)
    context = {
        "session": session,
        "when": when_of(request, session, at),
        "before": before.of(session, to=person(request), at=at),
        "tonight": session.starts_at.astimezone(session.zone).date()
        == at.astimezone(session.zone).date(),
        "emergencies": notices.is_tonight(session, at),
        "planned": session.phase == Phase.PLANNED,
        "ahead": session.phase == Phase.PLANNED and at < session.starts_at,
        "over": strip.is_over(session, at),
        "link": whereabouts.join_link(session, person(request), at),
    }
    return render(request, "sessions/before.html", context)


@require_safe
def card_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """To print: phases, times and the wording of the two questions; no name on it."""
    at = timezone.now()
    session = _with_card(request, pk, at)
    switches = conduct.switches_of(session.group)
    slots = card.of(session)
    asked = {slot.phase for slot in slots} & set(QUESTIONS)
    context = {
        "session": session,
        "when": when_of(request, session, at),
        "leads": conduct.may_conduct(session, person(request), at),
        # In words here: a template would turn them to the viewer's clock.
        "lines": [(_clock(slot), NAMES[slot.phase]) for slot in slots],
        "questions": [question(phase, switches) for phase in QUESTIONS if phase in asked],
    }
    return render(request, "sessions/card.html", context)


def _with_card(request: HttpRequest, pk: UUID, at: datetime) -> Session:
    """The leaders' to print; every member's where one of the group keeps time."""
    keeps_time = visible.entered(person(request), at).filter(group__keeps_time=True)
    session = keeps_time.select_related("group").filter(pk=pk).first()
    return session or gate.led(request, pk, at)


@sensitive_post_parameters("word-text")
@require_http_methods(["GET", "HEAD", "POST"])
def afterwards_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Who was there, one case or two: one minute, by either leader, until the next meeting."""
    at = timezone.now()
    session = gate.led(request, pk, at)
    data = request.POST if request.method == "POST" else None
    if data is None:
        afterwards.check_open(session, at)
    forms = AfterwardsForms(data, session=session, member=person(request), at=at)
    refused = _put_down(request, session, forms, at) if request.method == "POST" else ""
    if refused is None:
        messages.success(request, _("Put down. You can change it until the next meeting begins."))
        return redirect("afterwards", pk)
    session.refresh_from_db()
    context = {"session": session, "forms": forms, "refused": refused} | _words(forms)
    context["when"] = when_of(request, session, at)
    return render(request, "sessions/afterwards.html", context, status=409 if refused else 200)


def _put_down(
    request: HttpRequest, session: Session, forms: AfterwardsForms, at: datetime
) -> str | None:
    """None when it is put down; else why not, empty where the forms say it themselves."""
    if not forms.is_valid():
        return ""
    try:
        afterwards.put_down(
            session,
            present=forms.there,
            cases=forms.entries,
            seen=forms.there_form.cleaned_data["seen"],
            by=person(request),
            at=at,
            word=forms.word,
        )
    except Refused as refused:
        return str(refused)
    return None


def _words(forms: AfterwardsForms) -> dict[str, object]:
    """The circle to tick, and in words who is missing on it."""
    names = before.known_as(forms.seats)
    missing = {pk for pk in names if pk not in forms.there}
    return {
        "chairs": strip.chairs(forms.seats, missing),
        "missing": names_in_words([name for pk, name in names.items() if pk in missing]),
    }


def _clock(slot: Slot) -> str:
    return f"{time_words(slot.starts_at)}–{time_words(slot.ends_at)}"


def when_of(request: HttpRequest, session: Session, at: datetime) -> When:
    """When it is, on its own clock and the viewer's."""
    today = at.astimezone(session.zone).date()
    zone = person(request).time_zone
    return when_words(session.starts_at, session.minutes, session.time_zone, zone, today)
