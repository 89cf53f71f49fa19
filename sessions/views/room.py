"""The room: circle, phases and one sentence beside the call; in person that the group meets."""

from collections.abc import Callable
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from groups.gate import person
from groups.zones import when_words
from members.refusals import Refused
from sessions import before, cases, conduct, outside, showing_out, strip, visible
from sessions import live as stream
from sessions.forms.evening import MemberForm, PersonForm, PresenterForm, SeenForm, StepForm
from sessions.gate import ANY, room_view
from sessions.models import Session
from sessions.strip import Look, Screen

TEMPLATES = {
    Screen.LEADER: "sessions/room.html",
    Screen.MEMBER: "sessions/room.html",
    Screen.SITTING_BACK: "sessions/room_back.html",
    Screen.OUTSIDE: "sessions/room_outside.html",
    Screen.CALM: "sessions/room_calm.html",
    Screen.OVER: "sessions/room_over.html",
}


@room_view("GET")
def room(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """Online, whoever opens the page is in the room; in person it says that the group meets."""
    return _show(request, session, at)


@room_view("GET")
def room_now(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """What a screen asks every few seconds; nothing while what it shows is still true."""
    if not _is_there(request, session, at):
        return HttpResponseClientRedirect(reverse("session", args=[session.pk]))
    look = strip.look(session, person(request), at)
    if look.screen != request.GET.get("screen"):
        return HttpResponseClientRefresh()
    same_step = str(session.step) == request.GET.get("step")
    mark = request.GET.get("mark", "")
    if same_step and look.mark == mark:
        return HttpResponse(status=204)
    if look.still:
        return render(request, "sessions/_room_asking.html", {"look": look, "oob": True})
    others = mark.split(".")[0] != look.people_mark
    context = {"look": look, "moved": not same_step, "others": others or not same_step}
    return render(request, "sessions/_room_now.html", context)


@room_view("GET")
def live(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """How a stream begins; `balint.live` goes on from here. In person, and after it, there is none.

    By the server's own `admit` the listener is let in; without such a server this is all.
    """
    by, key = person(request), request.session.session_key or ""
    if strip.is_over(session, at) or not session.online:
        return HttpResponse(status=204)
    number = stream.listen(session, by=by, at=at)
    admit = request.META.get("asgi.scope", {}).get(stream.ADMIT)
    if admit:
        admit(person=str(by.pk), key=key, version=number)
    begins = stream.beginning(key=key, session=session, by=by, number=number)
    return HttpResponse(begins, content_type="text/event-stream")


def _is_there(request: HttpRequest, session: Session, at: datetime) -> bool:
    """Nobody goes out of what is over; who waits outside a case is let in by the page anew."""
    over = strip.is_over(session, at) or not session.online
    waits = request.GET.get("screen") == Screen.OUTSIDE
    return over or waits or conduct.still_here(session, by=person(request), at=at)


@room_view("GET", leaders=True)
def room_clock(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """In person, for a leader who wants it on one phone: a dim clock and the phases."""
    return _show(request, session, at, template="sessions/room_clock.html")


@room_view("POST", leaders=True)
def room_open(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """Open the meeting; the group's earlier open one is closed."""
    conduct.open_session(session, by=person(request), at=at)
    return _back(session)


@room_view("POST", leaders=True)
def room_step(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """One step, forward or back, perhaps with who tells."""
    return _tap(request, session, at, StepForm(request.POST), conduct.move)


@room_view("POST", leaders=True)
def room_undo(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """Take the last step back."""
    return _tap(request, session, at, SeenForm(request.POST), conduct.undo)


@room_view("POST", leaders=True)
def room_presenter(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """Put right who tells the case: named late, another, or nobody."""
    return _tap(request, session, at, PresenterForm(request.POST), conduct.name_presenter)


def _tap(
    request: HttpRequest,
    session: Session,
    at: datetime,
    form: SeenForm,
    verb: Callable[..., Session],
) -> HttpResponse:
    """Do what a leader tapped, or show the sentence that refuses it above the present state."""
    try:
        if not form.is_valid():
            raise conduct.NotFromHere
        verb(session, **form.cleaned_data, by=person(request), at=at)
    except Refused as refused:
        return _refused(request, session, at, refused)
    return _back(session)


@room_view("GET", "POST")
def room_out(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """Who knows the patient steps out of the case; a leader may say so for somebody else."""
    if request.method == "POST":
        form = PersonForm(request.POST, own=person(request).pk)
        return _tap(request, session, at, form, outside.step_out)
    look = strip.look(session, person(request), at)
    if look.still or not look.has_way_out or look.member.pk not in look.here:
        return redirect("room", session.pk)
    return render(request, "sessions/room_out.html", {"look": look, "session": session})


@room_view("POST", leaders=True)
def room_in(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """Stepped out by mistake: a leader lets somebody back into the case."""
    form = PersonForm(request.POST, own=person(request).pk)
    return _tap(request, session, at, form, outside.let_back_in)


@room_view("GET", "POST", leaders=True)
def room_show_out(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """All leaders together end somebody's part in the meeting; each says so here."""
    if request.method == "POST":
        return _tap(request, session, at, MemberForm(request.POST), showing_out.show_out)
    look = strip.look(session, person(request), at)
    if look.still or not session.is_open:
        return _back(session)
    return render(request, "sessions/room_show_out.html", {"look": look, "session": session})


@room_view("POST", leaders=True)
def room_stays(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """A leader takes it back: this person's part goes on."""
    return _tap(request, session, at, MemberForm(request.POST), showing_out.take_back)


@room_view("POST", while_listening=True)
def room_leave(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """Go out of the room."""
    conduct.leave_room(session, by=person(request), at=at)
    return redirect("session", session.pk)


@room_view("GET", "POST", while_listening=True)
def room_forget(request: HttpRequest, session: Session, at: datetime) -> HttpResponse:
    """The presenter has the case being told forgotten at once."""
    own = visible.told_by(person(request), at).filter(session=session, being_told=True)
    case = own.select_related("session").defer(*cases.TITLE).first()
    if case is None:
        raise Http404
    if request.method == "POST":
        cases.forget(case, by=person(request), at=at)
        return redirect("room", session.pk)
    return render(request, "sessions/case_forget.html", {"case": case, "back": "room"})


@room_view(*ANY)
def room_nothing(request: HttpRequest, session: Session, at: datetime, rest: str) -> HttpResponse:
    """Any other address under a room: there is nothing, and a listening presenter is told so."""
    raise Http404


def _back(session: Session) -> HttpResponse:
    return redirect("room" if session.online else "room_clock", session.pk)


def _refused(request: HttpRequest, session: Session, at: datetime, why: Refused) -> HttpResponse:
    """The sentence, above the present state."""
    session.refresh_from_db()
    template = "" if session.online else "sessions/room_clock.html"
    return _show(request, session, at, refused=str(why), template=template)


def _show(
    request: HttpRequest, session: Session, at: datetime, *, refused: str = "", template: str = ""
) -> HttpResponse:
    if session.cancelled:
        raise conduct.SessionIsCancelled
    if session.online and not strip.is_over(session, at):
        conduct.enter_room(session, by=person(request), at=at)
    look = strip.look(session, person(request), at)
    over = look.screen is Screen.OVER
    context = {"look": look, "session": session, "refused": refused} | _around(look)
    chosen = TEMPLATES[look.screen] if over or not template else template
    return render(request, chosen, context, status=409 if refused else 200)


def _around(look: Look) -> dict[str, object]:
    """What the calm pages say of this meeting and the next."""
    if look.screen not in {Screen.CALM, Screen.OVER}:
        return {}
    following = before.neighbours(look.session, "starts_at").first()
    return {
        "meeting": conduct.is_meeting(look.session, look.at),
        "when": _when(look, look.session),
        "next_when": _when(look, following) if following else None,
    }


def _when(look: Look, session: Session) -> object:
    today = look.at.astimezone(session.zone).date()
    return when_words(
        session.starts_at, session.minutes, session.time_zone, look.member.time_zone, today
    )
