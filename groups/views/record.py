"""The record of a group: the leaders' page and the office's."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from groups import gate, policy
from groups import record as keeping
from groups.models import Group, RecordOpening
from groups.policy import OFFICE, Action
from members.models import Member
from members.refusals import Refused
from members.stepup import confirmed_lately

LARGEST = 2**63 - 1


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed_lately
def record(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A leader asks to open the record, or confirms; the two of an opening read it for a day."""
    group = gate.enter(request, pk, Action.OPEN_RECORD)
    return _page(request, group, office=False)


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed_lately
def programme_record(request: HttpRequest, programme_pk: UUID, pk: UUID) -> HttpResponse:
    """What happened to the frame of a group; an admin may ask to open the record, or confirm."""
    seen = policy.groups_where(
        gate.person(request), Action.OPEN_RECORD, timezone.now(), roles=OFFICE
    )
    group = get_object_or_404(seen.select_related("programme"), pk=pk, programme__pk=programme_pk)
    return _page(request, group, office=True)


def _page(request: HttpRequest, group: Group, *, office: bool) -> HttpResponse:
    refusal, status = "", 200
    if request.method == "POST":
        try:
            messages.success(request, _done(request, group, office=office))
            return redirect(request.path)
        except Refused as refused:
            refusal, status = str(refused), 409
    context = _shown(request, group, office=office) | {"refusal": refusal}
    return render(request, "groups/record.html", context, status=status)


def _done(request: HttpRequest, group: Group, *, office: bool) -> str:
    by, at, do = gate.person(request), timezone.now(), request.POST.get("do")
    if do == "ask":
        keeping.ask(group, by=by, at=at, office=office)
        return _("Asked. Nobody reads anything before somebody else says yes.")
    opening = keeping.standing(group, at)
    if opening is None or str(opening.pk) != request.POST.get("opening"):
        # Another one than that which was read.
        raise keeping.AskingIsSettled
    if do == "yes":
        keeping.confirm(opening, by=by, at=at, office=office)
        return _("The record is open for a day. Everyone in the group is told on its page.")
    if do != "close":
        raise keeping.AskingIsSettled
    keeping.close(opening, by=by, at=at, office=office)
    return _("The record is closed.")


def _shown(request: HttpRequest, group: Group, *, office: bool) -> dict[str, Any]:
    me, at = gate.person(request), timezone.now()
    opening = keeping.standing(group, at)
    return {
        "group": group,
        "office": office,
        "opening": opening,
        "asked_by": _name(opening.asked_by) if opening else "",
        "own": opening is not None and opening.asked_by == me.pk,
        "mine": _is_theirs(opening, me),
        "page": keeping.read(group, to=me, at=at, office=office, before=_before(request)),
    }


def _is_theirs(opening: RecordOpening | None, me: Member) -> bool:
    if opening is None or opening.confirmed_at is None:
        return False
    return me.pk in (opening.asked_by, opening.confirmed_by)


def _name(pk: UUID) -> str:
    found = Member.objects.filter(pk=pk).first()
    return str(found) if found else _("an account that is deleted")


def _before(request: HttpRequest) -> int | None:
    """From which event on the page goes back; anything else than a number is the newest."""
    given = request.GET.get("before", "")
    return min(int(given), LARGEST) if given.isascii() and given.isdigit() else None
