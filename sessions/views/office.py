"""The office: many groups' lists and dates, under a database role that reads nothing inside one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from groups import frames, joining, leaving, policy, visible
from groups.forms.inside import FrameForm, NewGroupForm
from groups.forms.joining import ProposeForm
from groups.gate import person
from groups.models import Group, Programme, ProposedRole
from groups.policy import OFFICE, Action
from members.limits import spend
from members.refusals import Refused
from members.stepup import confirmed_lately
from sessions import lists
from sessions.forms.office import AskEndingForm


def _programme(request: HttpRequest, pk: UUID) -> Programme:
    return get_object_or_404(visible.programmes(person(request), timezone.now()), pk=pk)


def _groups(request: HttpRequest, programme: Programme) -> QuerySet[Group]:
    """Its groups, without those the admin belongs to."""
    listed = policy.groups_where(
        person(request), Action.SEE_GROUP_LIST, timezone.now(), roles=OFFICE
    )
    return listed.filter(programme=programme).select_related("programme").order_by("name", "pk")


def _group(request: HttpRequest, programme_pk: UUID, pk: UUID) -> Group:
    return get_object_or_404(_groups(request, _programme(request, programme_pk)), pk=pk)


def programme(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The programme's groups, and what each lacks."""
    found = _programme(request, pk)
    page = lists.programme(
        found, list(_groups(request, found)), to=person(request), at=timezone.now()
    )
    return render(request, "sessions/office_programme.html", page)


@confirmed_lately
def group_new(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A new group; its first leaders are proposed on its page."""
    found = _programme(request, pk)
    form = NewGroupForm(request.POST or None, initial={"time_zone": person(request).time_zone})
    if request.method == "POST" and form.is_valid():
        group = frames.create_group(
            found, by=person(request), at=timezone.now(), **form.cleaned_data
        )
        messages.success(request, _("The group is made. Propose its first leader next."))
        return redirect("programme_group", found.pk, group.pk)
    return render(request, "sessions/office_group_new.html", {"programme": found, "form": form})


@confirmed_lately(reading=False)
def group(request: HttpRequest, programme_pk: UUID, pk: UUID) -> HttpResponse:
    """One group's list; from here the office asks the leaders for a farewell."""
    found, now = _group(request, programme_pk, pk), timezone.now()
    page = lists.group(found, to=person(request), at=now)
    asked = request.POST if request.method == "POST" else None
    form = AskEndingForm(asked, memberships=page["askable"])
    status = 200
    if form.is_valid():
        try:
            leaving.ask_ending(**form.cleaned_data, by=person(request), at=now)
        except Refused as refused:
            form.add_error(None, str(refused))
            status = 409
        else:
            messages.success(request, _("The leaders are asked. They need no reason from you."))
            return redirect("programme_group", programme_pk, pk)
    return render(request, "sessions/office_group.html", page | {"form": form}, status=status)


@confirmed_lately(reading=False)
def group_frame(request: HttpRequest, programme_pk: UUID, pk: UUID) -> HttpResponse:
    """The office's edit of a group: name, place, zone, size, whom to ring."""
    found = _group(request, programme_pk, pk)
    form = FrameForm(request.POST or None, instance=Group.objects.get(pk=found.pk))
    status = 200
    if request.method == "POST" and form.is_valid():
        by, at = person(request), timezone.now()
        try:
            frames.edit_frame(found, by=by, at=at, office=True, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
            status = 409
        else:
            messages.success(request, _("Saved."))
            return redirect("programme_group", programme_pk, pk)
    page = {"group": found, "form": form}
    return render(request, "sessions/office_group_frame.html", page, status=status)


@confirmed_lately
def propose(request: HttpRequest, programme_pk: UUID, pk: UUID) -> HttpResponse:
    """The office proposes; the leaders say yes or no, and first leaders need nobody's yes."""
    found, now = _group(request, programme_pk, pk), timezone.now()
    empty = not policy.current(found, now).exists()
    led = policy.leaders(found, now).exists()
    first = {"role": ProposedRole.MEMBER if led else ProposedRole.LEADER}
    form = ProposeForm(request.POST or None, initial=first)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            spend(request, "propose")
            said = _propose(request, found, form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
            status = refused.status
        else:
            messages.success(request, said)
            return redirect("programme_group", programme_pk, pk)
    page = {"group": found, "form": form, "empty": empty, "led": led}
    return render(request, "sessions/office_propose.html", page, status=status)


def _propose(request: HttpRequest, found: Group, given: dict[str, Any]) -> str:
    proposal = joining.propose(found, **given, by=person(request), at=timezone.now())
    if proposal.consented_at:
        return _("The invitation is on its way.")
    return _("The group is asked. No reasons are asked or told.")
