"""A whole year to take along: a person's or a group's, as a sheet of paper or a calendar file."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from groups.gate import person
from groups.models import Group
from sessions import dates, ics, yearsheet
from sessions.calendar import YEARS
from sessions.dates import Entry
from sessions.views.calendar import of_group
from sessions.views.feeds import CALENDAR_FILE


@require_safe
def calendar_year_pdf(request: HttpRequest, year: int) -> HttpResponse:
    """All one's dates of a year on a sheet of paper."""
    title = _("Your meetings, %(year)s") % {"year": year}
    return _sheet(title, _of_person(request, year), year)


@require_safe
def calendar_year_ics(request: HttpRequest, year: int) -> HttpResponse:
    """The same as a file that any calendar opens, the entries of the feed."""
    entries = _of_person(request, year)
    return _file(entries, year, {e.session.pk: e.talk_minutes for e in entries if e.talk_minutes})


@require_safe
def group_year_pdf(request: HttpRequest, pk: UUID, year: int) -> HttpResponse:
    """A group's year on a sheet of paper, under its outside name."""
    group, entries = _of_group(request, pk, year)
    return _sheet(f"{group.name_outside}, {year}", entries, year)


@require_safe
def group_year_ics(request: HttpRequest, pk: UUID, year: int) -> HttpResponse:
    """The same as a file that any calendar opens, the entries of the feed."""
    _group, entries = _of_group(request, pk, year)
    return _file(entries, year)


def _of_person(request: HttpRequest, year: int) -> list[Entry]:
    return _between(dates.viewer(person(request), timezone.now()), year)


def _of_group(request: HttpRequest, pk: UUID, year: int) -> tuple[Group, list[Entry]]:
    viewer, group = of_group(request, pk)
    return group, _between(viewer, year)


def _between(viewer: dates.Viewer, year: int) -> list[Entry]:
    if year not in YEARS:
        raise Http404
    return dates.between(viewer, date(year, 1, 1), date(year, 12, 31))


def _sheet(title: str, entries: Sequence[Entry], year: int) -> HttpResponse:
    content = yearsheet.pdf(title, entries, at=timezone.localtime())
    return HttpResponse(content, "application/pdf", headers=_named(f"balint-{year}.pdf"))


def _file(
    entries: Sequence[Entry], year: int, talks: Mapping[UUID, int] = ics.NO_TALKS
) -> HttpResponse:
    settled = [entry.session for entry in yearsheet.settled(entries)]
    content = ics.published(settled, talks=talks)
    return HttpResponse(content, CALENDAR_FILE, headers=_named(f"balint-{year}.ics"))


def _named(file: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{file}"'}
