"""The calendar of a person and of a group, one session, and “I can't come”."""

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from groups import gate, roster
from groups.gate import person
from groups.models import Group
from groups.policy import GRANTS, Action, Role, memberships_of, roles_of
from members.refusals import Refused
from sessions import answers, dates, firstpage, groupyear, notices, sessionpage
from sessions.calendar import YEARS, agenda_span, by_month, month, span
from sessions.forms.calendar import CannotComeForm, YearForm
from sessions.models import Session


@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    """The present month of the person's own zone."""
    today = timezone.localdate()
    return calendar_month(request, today.year, today.month)


@require_safe
def calendar_month(
    request: HttpRequest, year: int, number: int, pk: UUID | None = None
) -> HttpResponse:
    """A month as a grid, one's own or a group's; 404 for one no calendar has."""
    if year not in YEARS or number not in range(1, 13):
        raise Http404
    viewer, context = _whose(request, pk)
    found = dates.between(viewer, *span(year, number), proposed=True)
    shown = month(year, number, found, viewer.today)
    context |= {"month": shown, "zone": dates.one_zone(shown.entries), "today": viewer.today}
    return render(request, "sessions/calendar_month.html", context)


@require_safe
def calendar_agenda(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    """Twelve months ahead, by month: one's own or a group's."""
    viewer, context = _whose(request, pk)
    ahead = dates.between(viewer, *agenda_span(viewer.today), proposed=True)
    context |= {"months": by_month(ahead), "zone": dates.one_zone(ahead), "today": viewer.today}
    return render(request, "sessions/calendar_agenda.html", context)


@require_safe
def calendar_year(request: HttpRequest, year: int) -> HttpResponse:
    """All dates of a year, to be printed on one page."""
    if year not in YEARS:
        raise Http404
    viewer, context = _whose(request)
    shown = dates.between(viewer, date(year, 1, 1), date(year, 12, 31), proposed=True)
    context |= {
        "year": year,
        "earlier": year - 1 if year - 1 in YEARS else None,
        "later": year + 1 if year + 1 in YEARS else None,
        "months": by_month(shown),
        "zone": dates.one_zone(shown),
        "today": viewer.today,
    }
    return render(request, "sessions/calendar_year.html", context)


@require_safe
def groups(request: HttpRequest) -> HttpResponse:
    """The groups one belongs to, with the next date of each."""
    member, now = person(request), timezone.now()
    viewer = dates.viewer(member, now)
    ahead = dates.coming(viewer)
    cards = [
        firstpage.next_card(row.group, viewer.roles[row.group_id], ahead)
        for row in memberships_of(member, now)
    ]
    return render(request, "sessions/groups.html", {"cards": cards})


@require_safe
def group(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The group's own year: for those inside or on leave, and its dates for the office."""
    found = get_object_or_404(Group.objects.select_related("programme"), pk=pk)
    roles = agreed(request, found)
    form = YearForm(request.GET)
    year = form.cleaned_data["year"] if form.is_valid() else None
    page = groupyear.of(found, person(request), roles, at=timezone.now(), year=year)
    return render(request, "sessions/group.html", {"page": page, "group": found})


@require_safe
def session(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One meeting: when, where, who leads, one's own answer; the leaders' ways from here."""
    found, roles = seen(request, pk)
    page = sessionpage.of(found, person(request), roles, at=timezone.now())
    if page.entry.news_at:
        notices.saw_all({found: page.entry.news_at}, person(request), at=timezone.now())
    return render(request, "sessions/session.html", {"page": page, "entry": page.entry})


@sensitive_post_parameters("reason")
@require_http_methods(["GET", "HEAD", "POST"])
def session_answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    """“I can't come”, with a word to the leaders or none; or “I can come after all”."""
    found, roles = seen(request, pk, Action.ANSWER)
    member, now = person(request), timezone.now()
    mine = answers.own(found, member)
    posted = request.POST if request.method == "POST" else None
    coming = request.POST.get("coming") == "yes"
    form = CannotComeForm(
        posted,
        initial={"reason": mine.reason if mine else ""},
        names=roster.names(found.group, now),
        asks=not coming,
    )
    status = 200
    if form.is_valid():
        try:
            messages.success(request, _answer(request, found, form.cleaned_data["reason"]))
            return redirect("home")
        except Refused as refused:
            form.add_error(None, str(refused))
            status = 409
    entry = dates.entries(dates.Viewer(member, now, {found.group_id: roles}), [found])[0]
    context = {"entry": entry, "form": form}
    return render(request, "sessions/answer.html", context, status=status)


def _answer(request: HttpRequest, found: Session, reason: str) -> str:
    """Do what the button said; the sentence for the next page."""
    member, now = person(request), timezone.now()
    if request.POST.get("coming") == "yes":
        answers.can_come(found, by=member, at=now)
        return _("Good. The group expects you.")
    answers.cannot_come(found, by=member, at=now, reason=reason)
    return _("The leaders will know that you cannot come.")


def agreed(request: HttpRequest, found: Group) -> frozenset[Role]:
    """What the person is to the group whose dates they may see; newcomers agree first."""
    roles = gate.check(request, found, Action.SEE_DATES)
    if Role.NEWCOMER in roles:
        raise gate.MustAgree(found)
    return roles


def of_group(request: HttpRequest, pk: UUID) -> tuple[dates.Viewer, Group]:
    """Who looks at a group's dates alone, if they may; else 404. Newcomers agree first."""
    found = get_object_or_404(Group, pk=pk)
    roles = agreed(request, found)
    return dates.Viewer(person(request), timezone.now(), {found.pk: roles}), found


def _whose(request: HttpRequest, pk: UUID | None = None) -> tuple[dates.Viewer, dict[str, Any]]:
    """Who looks, and whose calendar the page says it is: a group's, or one's own without one."""
    if pk is None:
        return dates.viewer(person(request), timezone.now()), {"group": None}
    viewer, found = of_group(request, pk)
    return viewer, {"group": found, "office": bool(viewer.as_(Role.ADMIN))}


def seen(
    request: HttpRequest, pk: UUID, action: Action = Action.SEE_DATES
) -> tuple[Session, frozenset[Role]]:
    """A settled session the person may see, and what they are to its group; else 404.

    Newcomers agree first. In the circle of a running session nothing changes before the morning.
    """
    member, now = person(request), timezone.now()
    settled = Session.objects.filter(settled_at__isnull=False).select_related("group")
    found = get_object_or_404(settled, pk=pk)
    roles = roles_of(member, found.group, now)
    if sessionpage.may_enter(found, member, roles, at=now):
        return found, roles
    if Role.NEWCOMER in roles:
        raise gate.MustAgree(found.group)
    if not any(action in GRANTS[role] for role in roles):
        raise Http404
    return found, roles
