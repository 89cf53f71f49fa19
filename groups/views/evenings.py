"""The office's templates of an evening: a list, and a form for each."""

import copy
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from groups import evenings, visible
from groups.evening_models import EveningTemplate
from groups.forms.evening import TemplateForm
from groups.gate import person
from groups.models import Programme
from members.refusals import Refused
from members.stepup import confirmed_lately


def _programme(request: HttpRequest, pk: UUID) -> Programme:
    return get_object_or_404(visible.programmes(person(request), timezone.now()), pk=pk)


def _template(programme: Programme, pk: UUID) -> EveningTemplate:
    """One of the programme's own, or one that came with the site."""
    known = EveningTemplate.objects.filter(Q(programme=None) | Q(programme=programme))
    return get_object_or_404(known, pk=pk)


@require_safe
def evening_list(request: HttpRequest, programme_pk: UUID) -> HttpResponse:
    """What the programme's groups choose from."""
    found = _programme(request, programme_pk)
    page = {"programme": found, "templates": evenings.of_programme(found.pk)}
    return render(request, "groups/evenings.html", page)


@confirmed_lately(reading=False)
def evening_new(request: HttpRequest, programme_pk: UUID) -> HttpResponse:
    """A template of the programme's own."""
    return _edit(request, _programme(request, programme_pk), None)


@confirmed_lately(reading=False)
def evening_edit(request: HttpRequest, programme_pk: UUID, evening_pk: UUID) -> HttpResponse:
    """Change a template; of one that came with the site the programme has a copy from then on."""
    found = _programme(request, programme_pk)
    return _edit(request, found, _template(found, evening_pk))


def _edit(
    request: HttpRequest, programme: Programme, template: EveningTemplate | None
) -> HttpResponse:
    # The form writes what was typed into its instance; the page keeps showing what stands.
    shown = copy.copy(template) or evenings.beginning(programme)
    form = TemplateForm(request.POST or None, instance=shown)
    status = 200
    if request.method == "POST" and form.is_valid():
        by, at = person(request), timezone.now()
        try:
            evenings.save(programme, template, by=by, at=at, **form.values())
        except Refused as refused:
            form.add_error(None, str(refused))
            status = 409
        else:
            messages.success(request, _("Saved."))
            return redirect("evenings", programme.pk)
    page = {"programme": programme, "template": template, "form": form}
    return render(request, "groups/evening_edit.html", page, status=status)


@require_POST
@confirmed_lately
def evening_back(request: HttpRequest, programme_pk: UUID, evening_pk: UUID) -> HttpResponse:
    """The programme's own row goes."""
    found = _programme(request, programme_pk)
    template = get_object_or_404(EveningTemplate, programme=found, pk=evening_pk)
    evenings.take_back(template, by=person(request), at=timezone.now())
    messages.success(request, _("Taken back."))
    return redirect("evenings", found.pk)
