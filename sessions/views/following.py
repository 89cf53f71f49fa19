"""A rhythm changed from one date on, or ended, with what that does shown before it is saved."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from groups import gate
from groups.gate import person
from groups.models import Group
from groups.policy import Action
from sessions import planning
from sessions.forms.planning import FollowingForm, LastDayForm
from sessions.models import Series, Session
from sessions.planning import Draft, shown, words
from sessions.views.planning import READS, planned_here, tried, year_shown


def session_following(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Plan this meeting and all that follow it anew."""
    session, at = planned_here(request, pk), timezone.now()
    if session.series is None:
        raise Http404
    if request.method in READS:
        planning.check_movable(session, at)
    posted, typed = _typed(request)
    form = FollowingForm(typed if posted or "rule" in typed else None, session=session)
    drafted, status = tried(
        form, lambda: planning.draft_following(session, form.wished(), at=at), field="last_on"
    )
    if posted and drafted:
        saved, status = _save(request, session, form, drafted, at)
        if saved:
            messages.success(request, words.saved(drafted))
            return redirect(f"{reverse('schedule', args=[session.group_id])}?series={saved.pk}")
    context = _context(request, session, form, drafted, at)
    htmx = request.htmx  # type: ignore[attr-defined]
    template = "sessions/_year.html" if htmx else "sessions/session_following.html"
    return render(request, template, context, status=status if posted else 200)


def series_end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End a rhythm with a day; the dates after it go."""
    group, at = gate.enter(request, pk, Action.PLAN), timezone.now()
    posted, typed = _typed(request)
    series = _running(group, typed.get("series", ""), at)
    form = LastDayForm(typed if posted or "last_on" in typed else None)
    drafted, status = tried(
        form,
        lambda: planning.draft_end(series, form.cleaned_data["last_on"], at=at),
        field="last_on",
    )
    if posted and drafted:
        ended, status = _end(request, series, form, at)
        if ended:
            messages.success(request, words.ended(drafted))
            return redirect("schedule", group.pk)
    context = _going(request, series, form, drafted)
    return render(request, "sessions/series_end.html", context, status=status if posted else 200)


def _typed(request: HttpRequest) -> tuple[bool, QueryDict]:
    """What was typed, and whether it is to be saved or only looked at."""
    posted = request.method == "POST"
    return posted, request.POST if posted else request.GET


def _end(
    request: HttpRequest, series: Series, form: LastDayForm, at: datetime
) -> tuple[Series | None, int]:
    return tried(
        form, lambda: planning.end_series(series, **form.cleaned_data, by=person(request), at=at)
    )


def _save(
    request: HttpRequest, session: Session, form: FollowingForm, drafted: Draft, at: datetime
) -> tuple[Series | None, int]:
    plan, seen = drafted.plan, form.cleaned_data["seen"]
    return tried(
        form,
        lambda: planning.plan_following(
            session, plan.cadence, plan.place, by=person(request), at=at, seen=seen
        ),
    )


def _context(
    request: HttpRequest,
    session: Session,
    form: FollowingForm,
    drafted: Draft | None,
    at: datetime,
) -> dict[str, Any]:
    """The year from this date on; whether its dates are proposed or settled stays as it is."""
    group = session.group
    year = year_shown(request, drafted, group, at)
    if drafted and drafted.proposes:
        year["save_label"] = year["propose_label"]
    plan = drafted.plan if drafted else planning.plan_from(session)
    return year | {
        "group": group,
        "session": session,
        "form": form,
        "seen": planning.state_of(group),
        "span": words.part_words(*plan.span),
        # All of it lies ahead, and proposing is no choice of this page.
        "past": "",
        "propose_label": "",
    }


def _running(group: Group, chosen: str, at: datetime) -> Series:
    """The rhythm asked for, or the one that reaches furthest, if any still goes on."""
    today = at.astimezone(group.zone).date()
    running = group.series.filter(last_on__gte=today).select_related("group").order_by("-last_on")
    found = [series for series in running if chosen in {"", str(series.pk)}]
    if not found:
        raise Http404
    return found[0]


def _going(
    request: HttpRequest, series: Series, form: LastDayForm, drafted: Draft | None
) -> dict[str, Any]:
    """What ending it does, and the words of the button."""
    context: dict[str, Any] = {
        "group": series.group,
        "series": series,
        "form": form,
        "seen": planning.state_of(series.group),
        "rhythm": words.rhythm(series),
        "span": words.span_words(series.first_on, series.last_on),
        "end_label": _("End the rhythm"),
    }
    if drafted is not None:
        context["rows"] = words.rows(drafted, person(request).time_zone)
        context["consequence"] = words.consequence(drafted) if drafted.told else ""
        context["end_label"] = words.end_label(drafted)
        context["letter"] = shown.letter(drafted, series.group, person(request), at=drafted.at)
    return context
