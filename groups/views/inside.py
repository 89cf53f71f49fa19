"""The leaders' page of members, a person's own leaving, and how the group is set up."""

import copy
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from groups import evenings, frames, gate, joining, leaving, policy, roster, visible
from groups.forms.evening import EveningForm
from groups.forms.inside import AwayForm, FarewellForm, FrameForm, InsideForm, LeaveForm
from groups.models import AskedAs, Ending, Entrance, Group, Membership
from groups.policy import Action, Role
from members.refusals import Refused
from members.stepup import confirmed_lately

HOW = {"away": AwayForm, "farewell": FarewellForm}


def roster_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Who is in the group: names for members, all that is to be looked after for leaders."""
    group = get_object_or_404(Group, pk=pk)
    if Role.ADMIN in policy.roles_of(gate.person(request), group, timezone.now()):
        return redirect("programme_group", group.programme_id, group.pk)
    group = gate.enter(request, pk, Action.SEE_NAMES)
    if policy.may(gate.person(request), Action.SEE_LEAVES, group, timezone.now()):
        return _leaders_page(request, group)
    return _members_page(request, group)


def _members_page(request: HttpRequest, group: Group) -> HttpResponse:
    now = timezone.now()
    page = {
        "group": group,
        "memberships": roster.inside([group], now),
        "proposals": joining.waiting(group, member=gate.person(request), at=now),
    }
    return render(request, "groups/roster.html", page)


def _leaders_page(
    request: HttpRequest,
    group: Group,
    bound: tuple[UUID, str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    endings = roster.endings(group, to=gate.person(request), at=now)
    people = roster.persons(group, endings, at=now)
    page = {
        "group": group,
        "people": [(row, _forms(row, bound)) for row in people],
        "company": roster.companies([group], now)[group.pk],
        "endings": roster.waiting(endings, to=gate.person(request), at=now),
        "proposals": joining.waiting(group, member=gate.person(request), at=now),
    }
    return render(request, "groups/roster_leaders.html", page, status=status)


def _forms(row: roster.Person, bound: tuple[UUID, str, Any] | None) -> dict[str, Any]:
    """The two forms in a person's disclosure; the one just posted keeps what was typed."""
    pk = row.membership.pk
    forms: dict[str, Any] = {
        how: form(auto_id=f"{how}-{pk}-%s", initial={"starts_on": timezone.localdate()})
        for how, form in HOW.items()
    }
    if bound and bound[0] == pk:
        forms |= {bound[1]: bound[2], "open": True}
    return forms


@sensitive_post_parameters("reason")
@require_POST
@confirmed_lately
def roster_person(request: HttpRequest, pk: UUID, membership_pk: UUID, how: str) -> HttpResponse:
    """A leader sets somebody's time away, or asks that they go."""
    group = gate.enter(request, pk, Action.SEE_LEAVES)
    seen = visible.memberships(gate.person(request), timezone.now()).select_related(
        "member", "group"
    )
    membership = get_object_or_404(seen, pk=membership_pk, group=group)
    names = roster.names(group, timezone.now())
    form = HOW[how](request.POST, auto_id=f"{how}-{membership.pk}-%s", names=names)
    if not form.is_valid():
        return _leaders_page(request, group, (membership.pk, how, form))
    try:
        said = _set(request, membership, how, form.cleaned_data)
    except Refused as refused:
        form.add_error(None, str(refused))
        return _leaders_page(request, group, (membership.pk, how, form), status=409)
    messages.success(request, said)
    return redirect("roster", group.pk)


def _set(request: HttpRequest, membership: Membership, how: str, given: dict[str, Any]) -> str:
    now, name = timezone.now(), str(membership.member)
    if how == "away":
        leaving.go_on_leave(
            membership.group, membership.member, by=gate.person(request), at=now, **given
        )
        return _("%(name)s is away; the place is kept.") % {"name": name}
    ending = leaving.end_membership(membership, by=gate.person(request), at=now, **given)
    if ending.confirmed_at:
        return _("The farewell of %(name)s is set.") % {"name": name}
    return _("The other leader is asked on this page.")


@require_POST
@confirmed_lately
def roster_back(request: HttpRequest, pk: UUID, membership_pk: UUID) -> HttpResponse:
    """A leader ends somebody's time away."""
    group = gate.enter(request, pk, Action.SEE_LEAVES)
    seen = visible.memberships(gate.person(request), timezone.now()).select_related("member")
    membership = get_object_or_404(seen, pk=membership_pk, group=group)
    leaving.come_back(group, membership.member, by=gate.person(request), at=timezone.now())
    messages.success(request, _("%(name)s is back.") % {"name": membership.member})
    return redirect("roster", group.pk)


def _seen(request: HttpRequest, pk: UUID) -> Ending:
    """The ending, for whoever may see it from where they stand."""
    now = timezone.now()
    seen = visible.endings(gate.person(request), now).select_related("group", "membership__member")
    ending = get_object_or_404(seen, pk=pk)
    as_admin = Role.ADMIN in policy.roles_of(gate.person(request), ending.group, now)
    if as_admin and ending.asked_as != AskedAs.ADMIN:
        raise Http404
    return ending


@require_POST
@confirmed_lately
def ending_confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A leader's yes."""
    ending = _seen(request, pk)
    gate.check(request, ending.group, Action.END_MEMBERSHIP)
    leaving.confirm_ending(ending, by=gate.person(request), at=timezone.now())
    messages.success(request, _("You said yes."))
    return redirect("roster", ending.group_id)


@require_POST
@confirmed_lately
def ending_withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take an ending back, or say no to it."""
    ending = _seen(request, pk)
    leaving.withdraw_ending(ending, by=gate.person(request), at=timezone.now())
    messages.success(request, _("Taken back. Nothing changes."))
    if ending.membership.member_id == gate.person(request).pk:
        return redirect("leave_group", ending.group_id)
    return redirect("roster", ending.group_id)


@sensitive_post_parameters("reason")
@confirmed_lately(reading=False)
def leave_group(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A person's own leaving, and their own time away."""
    group = gate.enter(request, pk, Action.LEAVE)
    posted = request.POST.get("do") if request.method == "POST" else None
    names = roster.names(group, timezone.now())
    forms: dict[str, Any] = {
        "leave_form": LeaveForm(
            request.POST if posted == "leave" else None, prefix="leave", names=names
        ),
        "away_form": AwayForm(
            request.POST if posted == "away" else None,
            prefix="away",
            names=names,
            initial={"starts_on": timezone.localdate()},
        ),
    }
    form = forms.get(f"{posted}_form")
    status = 200
    if posted == "back" or (form is not None and form.is_valid()):
        try:
            return _gone(request, group, posted, form)
        except Refused as refused:
            if form is None:
                raise
            form.add_error(None, str(refused))
            status = 409
    return render(request, "groups/leave.html", _own(request, group) | forms, status=status)


def _gone(request: HttpRequest, group: Group, what: str | None, form: Any) -> HttpResponse:
    now, member = timezone.now(), gate.person(request)
    if what == "back":
        leaving.come_back(group, member, by=member, at=now)
        messages.success(request, _("Welcome back."))
    elif what == "away":
        leaving.go_on_leave(group, member, by=member, at=now, **form.cleaned_data)
        messages.success(request, _("Your place is kept. The leaders know."))
    else:
        given = {name: form.cleaned_data[name] for name in ("last_on", "reason")}
        ending = leaving.leave(group, by=member, at=now, **given)
        messages.success(request, _("Thank you for the time you gave to this group."))
        if ending.ends_at <= now:
            return redirect("/")
    return redirect("leave_group", group.pk)


def _own(request: HttpRequest, group: Group) -> dict[str, Any]:
    now, member = timezone.now(), gate.person(request)
    set_ = visible.endings(member, now).filter(
        group=group, membership__member=member, membership__in=policy.current(group, now)
    )
    ending = set_.exclude(confirmed_at=None).select_related("group").first()
    return {
        "group": group,
        "ending": ending,
        "own": ending is not None and ending.asked_as == AskedAs.PERSON,
        "last_day": roster.day_of(ending, now) if ending else "",
        "away": roster.Away.of(leaving.standing_leave(group, member, now), group, now),
    }


@sensitive_post_parameters("join_link", "door")
def group_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The frame and the inside of a group and its evenings, on one page with one button."""
    group = gate.enter(request, pk, Action.EDIT_INSIDE)
    entrance = Entrance.objects.filter(group=group).first()
    data = request.POST or None
    # Forms write what was typed into their instance; the page keeps showing what stands.
    frame = FrameForm(data, instance=copy.copy(group))
    inside = InsideForm(data, instance=copy.copy(group), entrance=entrance)
    evening = EveningForm(data, instance=copy.copy(group), templates=evenings.offered(group))
    forms = (frame, inside, evening)
    status = 200
    if data is not None and not [form for form in forms if not form.is_valid()]:
        try:
            _save(request, group, frame, inside.values() | evening.values())
        except Refused as refused:
            frame.add_error(None, str(refused))
            status = 409
        else:
            messages.success(request, _("Saved."))
            return redirect("group_edit", group.pk)
    page = {"group": group, "frame": frame, "inside": inside, "evening": evening}
    return render(request, "groups/edit.html", page, status=status)


def _save(request: HttpRequest, group: Group, frame: FrameForm, inside: dict[str, Any]) -> None:
    by, at = gate.person(request), timezone.now()
    with transaction.atomic():
        frames.edit_frame(group, by=by, at=at, **frame.cleaned_data)
        frames.edit_inside(group, by=by, at=at, **inside)
