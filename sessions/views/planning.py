"""The year planned and read, and each of its dates moved, cancelled, put back or added."""

from collections.abc import Callable
from datetime import datetime, time
from typing import Any, TypeVar
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from groups import gate, roster
from groups.cadence import instant
from groups.gate import person
from groups.models import Group
from groups.policy import GRANTS, Action, Role, leaders
from groups.zones import city
from members.models import Member
from members.refusals import Refused
from sessions import planning, visible
from sessions.forms.planning import CancelForm, MoveForm, NewDateForm, PlanForm, SeenForm
from sessions.models import Series, Session
from sessions.planning import Draft, Plan, shown, words
from sessions.planning.cautions import cautions, cautions_of_date

READS = {"GET", "HEAD"}
T = TypeVar("T")
Tab = tuple[str, str, bool]


def schedule(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The group's year: its leaders plan it here, everyone else inside reads it."""
    group = get_object_or_404(Group, pk=pk)
    at = timezone.now()
    roles = gate.check(request, group, Action.SEE_DATES)
    if any(Action.PLAN in GRANTS[role] for role in roles):
        return _plan(request, group, at)
    if Role.NEWCOMER in roles:
        raise gate.MustAgree(group)
    if Role.ADMIN in roles or request.method not in READS:
        raise Http404
    return _read(request, group, at)


def session_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Move one meeting, or change its length or place."""
    session, at = planned_here(request, pk), timezone.now()
    if request.method in READS:
        planning.check_movable(session, at)
    form = MoveForm(
        request.POST or None,
        session=session,
        names=roster.names(session.group, at),
        leaders=list(leaders(session.group, at)),
    )
    moved, status = _heeded(
        request, form, session.group, lambda: _changed(session, form, person(request), at)
    )
    if moved:
        messages.success(request, moved)
        return redirect(_back(session), session.group_id)
    form.show_as_seen(session.sequence)
    context = _session_context(request, session, form, at)
    return render(request, "sessions/session_edit.html", context, status=status)


def session_cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say who will be told, ask why, and cancel."""
    session, at = planned_here(request, pk), timezone.now()
    if request.method in READS:
        planning.check_cancellable(session, at)
    form = CancelForm(
        request.POST or None,
        initial={"seen": session.sequence},
        names=roster.names(session.group, at),
    )
    cancelled, status = tried(
        form, lambda: planning.cancel(session, **form.cleaned_data, by=person(request), at=at)
    )
    if cancelled:
        messages.success(request, _cancelled_words(session, at))
        return redirect(_back(session), session.group_id)
    form.show_as_seen(session.sequence)
    context = _session_context(request, session, form, at)
    return render(request, "sessions/session_cancel.html", context, status=status)


@require_POST
def session_restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A cancelled meeting takes place after all."""
    session = planned_here(request, pk)
    restored = planning.restore(session, by=person(request), at=timezone.now())
    settled, told = bool(restored.settled_at), planning.is_told(restored)
    messages.success(request, words.restored(settled=settled, told=told))
    return redirect(_back(restored), session.group_id)


@require_POST
def session_undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The last move or cancelling never was; only who heard of it hears of this."""
    session = planned_here(request, pk)
    form = SeenForm(request.POST)
    if not form.is_valid():
        raise planning.NothingToUndo
    undone = planning.undo(session, **form.cleaned_data, by=person(request), at=timezone.now())
    messages.success(request, words.undone(told=planning.is_told(undone)))
    return redirect("schedule", session.group_id)


def session_new(request: HttpRequest, pk: UUID) -> HttpResponse:
    """An extra date beside the rhythm."""
    group, at = gate.enter(request, pk, Action.PLAN), timezone.now()
    offered = planning.next_rule(group, at)
    form = NewDateForm(request.POST or None, offered=offered, setting=group.setting, at=at)
    propose = _proposes(request)
    added, status = _heeded(
        request,
        form,
        group,
        lambda: planning.add_date(
            group, **form.wishes(), by=person(request), at=at, propose=propose
        ),
    )
    if added:
        messages.success(request, words.added(told=planning.is_told(added)))
        return redirect("dates_settle" if propose else "schedule", group.pk)
    context = {"group": group, "form": form, "propose": propose}
    return render(request, "sessions/session_new.html", context, status=status)


def _proposes(request: HttpRequest) -> bool:
    """Whether the button said that the dates are proposed, not settled."""
    return request.GET.get("propose") == "yes"


def planned_here(request: HttpRequest, pk: UUID) -> Session:
    """A session whose group the person plans; else 404, or the agreement's page first."""
    seen = visible.sessions(person(request), timezone.now()).select_related("group", "series")
    session = get_object_or_404(seen, pk=pk)
    gate.check(request, session.group, Action.PLAN)
    return session


def tried(form: Form, verb: Callable[[], T], field: str | None = None) -> tuple[T | None, int]:
    """What the verb gave, or None and the status of the page that is shown again.

    A refusal stands beside `field`, or above the form.
    """
    if not form.is_valid():
        return None, 200
    try:
        return verb(), 200
    except Refused as refused:
        form.add_error(field, str(refused))
        return None, 409


def _heeded(
    request: HttpRequest, form: MoveForm | NewDateForm, group: Group, verb: Callable[[], T]
) -> tuple[T | None, int]:
    """The same for a form with a date: what is worth knowing about it is shown before."""
    if form.is_valid():
        found = cautions_of_date(form.line(), group, person(request), timezone.now())
        if not form.heeds(found):
            return None, 200
    return tried(form, verb)


def _session_context(
    request: HttpRequest, session: Session, form: Form, at: datetime
) -> dict[str, Any]:
    now = words.planned([session], person(request).time_zone, at)[0]
    return {"group": session.group, "session": session, "form": form, "now": now}


def _back(session: Session) -> str:
    """The page from which a leader changes a date: a proposed one stands where it is settled."""
    return "schedule" if session.settled_at else "dates_settle"


@transaction.atomic
def _changed(session: Session, form: MoveForm, by: Member, at: datetime) -> str:
    """What was done, in words; of who leads it alone nobody is told by mail."""
    moved = planning.move(session, **form.wishes(), by=by, at=at)
    named = planning.name_leader(moved, led_by=form.leader, by=by, at=at)
    return _moved_words(session, moved, named=named)


def _moved_words(before: Session, after: Session, *, named: bool) -> str:
    if before.sequence == after.sequence:
        if named:
            return _("Who leads it is saved. Nobody is told by mail.")
        return _("Nothing has changed.")
    if before.settled_at is None:
        return _("The proposed date is changed. Nobody is told by mail before it is settled.")
    return _("The change is saved. Everyone in the group is told by mail.")


def _cancelled_words(session: Session, at: datetime) -> str:
    if session.settled_at is None:
        return _("The proposed date is dropped. Nobody is told by mail.")
    if session.starts_at <= at:
        return _("The meeting is cancelled.")
    return _("The meeting is cancelled. Everyone in the group is told by mail.")


def _read(request: HttpRequest, group: Group, at: datetime) -> HttpResponse:
    """This year's dates and all that lie ahead, for those who do not plan them."""
    begins = instant(
        at.astimezone(group.zone).date().replace(month=1, day=1), time.min, group.time_zone
    )
    dates = visible.sessions(person(request), at).filter(group=group, starts_at__gte=begins)
    shown = words.planned(dates.order_by("starts_at"), person(request).time_zone, at)
    zone, last = words.one_zone(shown), planning.last_series(group)
    # The rhythm says the zone; where a date is on another clock, each says its own.
    rhythm = words.rhythm(last) if last and zone in {"", city(last.time_zone)} else ""
    context = {"group": group, "dates": shown, "zone": zone, "rhythm": rhythm}
    return render(request, "sessions/schedule_read.html", context)


def _plan(request: HttpRequest, group: Group, at: datetime) -> HttpResponse:
    """The page of planning: what is typed, the year it makes, and what is planned already."""
    posted = request.method == "POST"
    typed = request.POST if posted else request.GET
    chosen = typed.get("series", "")
    seen, (offered, tabs) = planning.state_of(group), _offered(request, chosen, group, at)
    form = PlanForm(typed if posted or "rule" in typed else None, offered=offered)
    drafted, status = tried(
        form,
        lambda: planning.draft_year(
            group, form.wished(), at=at, propose=posted and _proposes(request)
        ),
        field="first_on",
    )
    if posted and drafted:
        saved, status = _save(request, form, drafted, group, at)
        if saved:
            if drafted.proposes:
                return redirect("dates_settle", group.pk)
            return redirect(f"{request.path}?series={saved.pk}")
    span = words.span_words(*(drafted.plan if drafted else offered).span)
    context = {"group": group, "form": form, "seen": seen, "span": span}
    context |= year_shown(request, drafted, group, at)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "sessions/_year.html", context)
    ahead = _ahead(request, group, at)
    context["undoable"] = _undoable(ahead, at)
    context |= {"tabs": tabs, "chosen": chosen, "planned": ahead, "zone": words.one_zone(ahead)}
    return render(request, "sessions/schedule.html", context, status=status if posted else 200)


def _offered(
    request: HttpRequest, chosen: str, group: Group, at: datetime
) -> tuple[Plan, list[Tab]]:
    """The plan the page begins with, and the way to the others: each rhythm, and the next."""
    today = at.astimezone(group.zone).date()
    running = [s for s in group.series.order_by("first_on") if s.last_on >= today]
    plans = {str(series.pk): planning.plan_of(series) for series in running}
    plans["next"] = planning.following(group, planning.last_series(group), today)
    offered = plans.get(chosen) or planning.next_rule(group, at)
    names = words.spans_words([plan.span for plan in plans.values()])
    tabs = [
        (name, f"{request.path}?series={key}", plan == offered)
        for name, (key, plan) in zip(names, plans.items(), strict=True)
    ]
    return offered, tabs if running else []


def _save(
    request: HttpRequest, form: PlanForm, drafted: Draft, group: Group, at: datetime
) -> tuple[Series | None, int]:
    if drafted.new_in_the_past and not form.cleaned_data["past_known"]:
        sentence = _("Tick this box to put them down, or choose a later first date.")
        form.add_error("past_known", sentence)
        return None, 200
    plan, seen = drafted.plan, form.cleaned_data["seen"]
    saved, status = tried(
        form,
        lambda: planning.plan_year(
            group,
            plan.cadence,
            plan.place,
            by=person(request),
            at=at,
            seen=seen,
            propose=drafted.proposes,
        ),
    )
    if saved:
        count = len(drafted.meetings)
        said = words.proposed(count) if drafted.proposes else words.saved(drafted)
        messages.success(request, said)
    return saved, status


def year_shown(
    request: HttpRequest, drafted: Draft | None, group: Group, at: datetime
) -> dict[str, Any]:
    """The right half of the page, and the words of the button."""
    if drafted is None:
        return {"save_label": _("Save these dates")}
    past, viewer = len(drafted.new_in_the_past), person(request)
    return {
        "rows": words.rows(drafted, viewer.time_zone, cautions(drafted, group, viewer, at)),
        "summary": words.summary(drafted),
        "past": words.past_label(past) if past else "",
        "save_label": words.save_label(len(drafted.meetings)),
        "propose_label": words.propose_label(len(drafted.meetings)) if drafted.proposable else "",
        "consequence": words.consequence(drafted),
        "letter": shown.letter(drafted, group, viewer, at=at),
    }


def _undoable(ahead: list[words.Planned], at: datetime) -> list[words.Planned]:
    """The dates whose change was made so lately that it can be undone."""
    back = planning.undoable([date.session for date in ahead], at)
    return [date for date in ahead if date.session.pk in back]


def _ahead(request: HttpRequest, group: Group, at: datetime) -> list[words.Planned]:
    dates = visible.sessions(person(request), at).filter(group=group, starts_at__gt=at)
    return words.planned(dates.order_by("starts_at"), person(request).time_zone, at)
