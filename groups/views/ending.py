"""The end of a group: the leaders' page, and the office's where one leads alone."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from groups import ending, gate, policy
from groups.forms.ending import GroupEndForm
from groups.models import Group, GroupEnd
from groups.policy import OFFICE, Action
from members.refusals import Refused
from members.stepup import confirmed_lately


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed_lately(reading=False)
def group_end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A leader asks for a last day, the other confirms, and either takes it back until then."""
    group = gate.enter(request, pk, Action.END_GROUP)
    do = request.POST.get("do")
    form = GroupEndForm(request.POST if do == "ask" else None)
    status = 200
    if do in {"yes", "back"} or form.is_valid():
        try:
            messages.success(request, _done(request, group, str(do), form))
            return redirect("group_end", group.pk)
        except Refused as refused:
            # The form is shown only while nothing stands; the sentence then has its own place.
            status, sentence = 409, str(refused)
            page = _page(request, group) | {"form": form, "sentence": sentence}
            return render(request, "groups/end.html", page, status=status)
    page = _page(request, group) | {"form": form}
    return render(request, "groups/end.html", page, status=status)


def _done(request: HttpRequest, group: Group, do: str, form: GroupEndForm) -> str:
    by, at = gate.person(request), timezone.now()
    if do == "ask":
        ending.ask(group, by=by, at=at, last_on=form.cleaned_data["last_on"])
        return _("Asked. Nothing changes before somebody else says yes.")
    end = _as_read(request, group)
    if do == "yes":
        ending.confirm(end, by=by, at=at)
        return _("The last day is set.")
    ending.withdraw(end, by=by, at=at)
    return _("Taken back. The group goes on.")


def _as_read(request: HttpRequest, group: Group) -> GroupEnd:
    """The end that stands, if it is the one whose day was on the page."""
    end = ending.standing(group)
    if end is None or str(end.pk) != request.POST.get("end"):
        raise ending.EndIsSettled
    return end


def _page(request: HttpRequest, group: Group) -> dict[str, Any]:
    end, at = ending.standing(group), timezone.now()
    own = end is not None and end.asked_by_id == gate.person(request).pk
    return {
        "group": group,
        "end": end,
        "day": ending.day_of(end, at) if end else "",
        "own": own,
        "alone": own and ending.leads_alone(group, gate.person(request).pk),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed_lately(reading=False)
def programme_group_end(request: HttpRequest, programme_pk: UUID, pk: UUID) -> HttpResponse:
    """The office's yes to the end of a group that one leads alone; it sees the date."""
    at, admin = timezone.now(), gate.person(request)
    seen = policy.groups_where(admin, Action.CONFIRM_GROUP_END, at, roles=OFFICE)
    group = get_object_or_404(seen.select_related("programme"), pk=pk, programme__pk=programme_pk)
    end, sentence = ending.standing(group), ""
    if request.method == "POST":
        try:
            ending.confirm(_as_read(request, group), by=admin, at=at, office=True)
        except Refused as refused:
            sentence = str(refused)
        else:
            messages.success(request, _("The last day is set."))
            return redirect("programme_group_end", programme_pk, pk)
    page = {
        "group": group,
        "end": end,
        "day": ending.day_of(end, at) if end else "",
        "alone": end is not None and ending.leads_alone(group, end.asked_by_id),
        "sentence": sentence,
    }
    return render(request, "groups/office_end.html", page, status=409 if sentence else 200)
