"""Proposed dates: marked by those who are asked, then settled by the leaders."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from groups import gate
from groups.gate import person
from groups.models import Group
from groups.policy import Action
from members.refusals import Refused
from sessions import planning
from sessions.forms.proposed import MarkForm, SettleForm
from sessions.models import Session
from sessions.planning import letters, proposed, words

FORM = ["GET", "HEAD", "POST"]


@require_http_methods(FORM)
def dates_answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    """All proposed dates with a tick for each that one cannot; one save."""
    group, at = gate.enter(request, pk, Action.ANSWER), timezone.now()
    form, status = MarkForm(request.POST if request.method == "POST" else None), 200
    if form.is_valid():
        try:
            planning.reply(group, **form.cleaned_data, by=person(request), at=at)
        except Refused as refused:
            status = _refused(form, refused)
        else:
            messages.success(request, _("The leaders know which dates you cannot."))
            return redirect("group", group.pk)
    context = _to_mark(request, group, form, at)
    return render(request, "sessions/dates_answer.html", context, status=status)


@require_http_methods(FORM)
def dates_settle(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the members marked, and the letter everyone gets once the leaders settle the dates."""
    group, at = gate.enter(request, pk, Action.PLAN), timezone.now()
    form, status = SettleForm(request.POST if request.method == "POST" else None), 200
    if form.is_valid():
        try:
            settled = planning.settle(group, **form.cleaned_data, by=person(request), at=at)
        except Refused as refused:
            status = _refused(form, refused)
        else:
            messages.success(request, words.settled(len(settled)))
            return redirect("group", group.pk)
    context = _to_settle(request, group, form, at)
    return render(request, "sessions/dates_settle.html", context, status=status)


def _refused(form: Form, refused: Refused) -> int:
    form.add_error(None, str(refused))
    return 409


def _to_mark(request: HttpRequest, group: Group, form: MarkForm, at: datetime) -> dict[str, Any]:
    """The dates as they stand now, with the ticks somebody has just made or made before."""
    shown: Sequence[Session] = list(proposed.dates(group, at))
    me = person(request)
    kept = proposed.marked(shown, me)
    ticked = set(form.cleaned_data.get("cannot", ())) if form.is_bound else kept
    lines = words.planned(shown, me.time_zone, at)
    return {
        "group": group,
        "form": form,
        "lines": [(line, line.session.pk in ticked) for line in lines],
        "zone": words.one_zone(lines),
        "seen": proposed.as_shown(shown),
        "replied": proposed.replied_at(group, me),
    }


def _to_settle(
    request: HttpRequest, group: Group, form: SettleForm, at: datetime
) -> dict[str, Any]:
    me = person(request)
    standings = proposed.standings(group, me, at)
    letter = letters.preview(group, me, at=at)
    return {
        "group": group,
        "form": form,
        "standings": standings,
        "dropped": words.planned(proposed.dropped(group, at), me.time_zone, at),
        "waiting": proposed.not_answered(group, me, at),
        "subject": letter.subject,
        "letter": letter.text.strip().split("\n\n"),
        "seen": proposed.as_marked(group, me, at),
        "label": words.settle_label(len(standings)),
    }
