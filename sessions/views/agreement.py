"""The agreement: the one thing someone new does next, and what everyone inside agreed to."""

from datetime import time
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from groups import agreements, gate, policy
from groups.cadence import instant
from groups.gate import person
from groups.models import Acceptance, Agreement, Group
from groups.policy import Action, Role
from groups.roster import inside_day
from groups.zones import when_words
from members.refusals import Refused
from sessions import office
from sessions.forms.office import AgreementForm
from sessions.models import Session

INSIDE = {Role.LEADER, Role.MEMBER, Role.NEWCOMER, Role.AWAY}


def agreement(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Read it, and agree to it once."""
    group = get_object_or_404(Group, pk=pk)
    roles = policy.roles_of(person(request), group, timezone.now())
    if not roles & INSIDE:
        raise Http404
    refused, status = "", 200
    if request.method == "POST":
        try:
            return _agree(request, group)
        except Refused as refusal:
            refused, status = str(refusal), 409
    page = _page(request, group, roles) | {"refused": refused}
    return render(request, "sessions/agreement.html", page, status=status)


def _agree(request: HttpRequest, group: Group) -> HttpResponse:
    """Agree to the version that stood on the page."""
    read = request.POST.get("version", "")
    version = int(read) if read.isdecimal() else 0
    agreements.accept(group, by=person(request), at=timezone.now(), version=version)
    messages.success(request, _("Thank you. The group’s pages are open to you."))
    return redirect("/")


def _page(request: HttpRequest, group: Group, roles: frozenset[Role]) -> dict[str, Any]:
    now, member = timezone.now(), person(request)
    standing, coming = agreements.in_force(group, now), agreements.coming(group, now)
    mine = Acceptance.objects.filter(group=group, member=member, agreement=standing).first()
    before = Acceptance.objects.filter(group=group, member=member).exclude(agreement=standing)
    session = office.next_session(group, now)
    return {
        "group": group,
        "leaders": policy.leaders(group, now),
        "agreement": standing,
        "agreed_on": inside_day(mine.accepted_at, group, now) if mine else "",
        "agreed_before": mine is None and before.exists(),
        "coming": coming,
        "coming_on": inside_day(coming.in_force_at, group, now) if coming else "",
        "session": session,
        "when": _when(session, request) if session else None,
        "new": Role.NEWCOMER in roles,
        "may_edit": Role.LEADER in roles,
    }


def _when(session: Session, request: HttpRequest) -> Any:
    zone = person(request).time_zone
    today = timezone.localdate()
    return when_words(session.starts_at, session.minutes, session.time_zone, zone, today)


def agreement_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Leaders write the next version, with the day from which it holds."""
    group, now = gate.enter(request, pk, Action.EDIT_INSIDE), timezone.now()
    standing, coming = agreements.in_force(group, now), agreements.coming(group, now)
    form = AgreementForm(request.POST or None, initial=_offered(group, coming or standing))
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            _write(request, group, form)
        except Refused as refused:
            form.add_error("begins_on", str(refused))
            status = 409
        else:
            messages.success(request, _("Everyone is asked to agree on that day."))
            return redirect("agreement", group.pk)
    page = {"group": group, "form": form, "coming": coming}
    return render(request, "sessions/agreement_edit.html", page, status=status)


def _offered(group: Group, newest: Agreement | None) -> dict[str, Any]:
    now = timezone.now()
    coming = newest is not None and newest.in_force_at > now
    begins = newest.in_force_at.astimezone(group.zone).date() if newest and coming else None
    return {
        "text": newest.text if newest else agreements.READY_TEXT,
        "begins_on": begins or office.first_free_day(group, now),
    }


def _write(request: HttpRequest, group: Group, form: AgreementForm) -> None:
    begins = instant(form.cleaned_data["begins_on"], time.min, group.time_zone)
    agreements.write_version(
        group,
        text=form.cleaned_data["text"],
        in_force_at=begins,
        by=person(request),
        at=timezone.now(),
    )


@require_POST
def agreement_take_back(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A version that has not begun is withdrawn."""
    group = gate.enter(request, pk, Action.EDIT_INSIDE)
    agreements.take_back_version(group, by=person(request), at=timezone.now())
    messages.success(request, _("The new version is taken back."))
    return redirect("agreement", group.pk)
