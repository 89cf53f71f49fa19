"""A day of several meetings, planned on one page."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext

from groups import evenings, gate
from groups.evening_models import EveningTemplate
from groups.gate import person
from groups.models import Group
from groups.policy import Action, leaders
from sessions import planning
from sessions.forms.day import DayForm
from sessions.views.planning import tried


def day_new(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Several meetings of one day, each with its leader, in one go."""
    group, at = gate.enter(request, pk, Action.PLAN), timezone.now()
    templates = _of_days(group)
    if not templates:
        raise Http404
    template = templates.get(request.GET.get("template", ""), next(iter(templates.values())))
    form = DayForm(
        request.POST or None,
        group=group,
        template=template,
        leaders=list(leaders(group, at)),
        at=at,
    )
    made, status = tried(
        form, lambda: planning.plan_day(group, **form.wishes(), by=person(request), at=at)
    )
    if made:
        said = ngettext("%(n)d meeting is saved.", "%(n)d meetings are saved.", len(made))
        messages.success(request, said % {"n": len(made)})
        return redirect("schedule", group.pk)
    context = {"group": group, "form": form, "templates": templates.values(), "chosen": template}
    return render(request, "sessions/day_new.html", context, status=status)


def _of_days(group: Group) -> dict[str, EveningTemplate]:
    """The templates of more than one meeting a day, those offered before the others."""
    rows = [row for row in evenings.of_programme(group.programme_id) if row.sessions > 1]
    return {row.key: row for row in rows if row.offered} or {row.key: row for row in rows}
