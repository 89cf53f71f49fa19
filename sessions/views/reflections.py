"""Private reflections: about a meeting from its page, and the list of one's own."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from groups.gate import person
from groups.roster import names
from members.refusals import Refused
from sessions import gate, visible
from sessions import reflections as written
from sessions.forms.writing import ReflectionForm
from sessions.models import Reflection

READ_OR_WRITE = ["GET", "HEAD", "POST"]


@sensitive_post_parameters("text")
@sensitive_variables("form")
@require_http_methods(READ_OR_WRITE)
def reflection(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Write one about this meeting, or change the one there is; once it was held."""
    at = timezone.now()
    session = gate.inside(request, pk, at)
    if request.method != "POST":
        written.check_held(session, at)
    mine = written.about(session, person(request))
    form = _form(request, mine, names(session.group, at))
    if form.is_valid():
        try:
            text = form.cleaned_data["text"]
            written.write(session, text=text, by=person(request), at=at)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Kept, for you alone."))
            return redirect("session", pk)
    return _page(request, form, {"session": session, "reflection": mine})


@require_safe
def reflections(request: HttpRequest) -> HttpResponse:
    """One's own, by the date of the meeting; also those of groups one has left."""
    own = written.of(person(request))
    return render(request, "sessions/reflections.html", {"reflections": own})


@sensitive_post_parameters("text")
@sensitive_variables("form")
@require_http_methods(READ_OR_WRITE)
def reflection_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Read or change one's own, wherever one stands now."""
    at = timezone.now()
    mine = _mine(request, pk)
    form = _form(request, mine, _names_known(request, mine, at))
    if form.is_valid():
        try:
            written.rewrite(mine, text=form.cleaned_data["text"], by=person(request), at=at)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Kept, for you alone."))
            return redirect("reflections")
    return _page(request, form, {"session": mine.session, "reflection": mine})


@require_http_methods(READ_OR_WRITE)
def reflection_delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask once, then it is gone."""
    mine = _mine(request, pk)
    if request.method == "POST":
        written.delete(mine, by=person(request))
        messages.success(request, _("Deleted."))
        return redirect("reflections")
    return render(request, "sessions/reflection_delete.html", {"reflection": mine})


def _mine(request: HttpRequest, pk: UUID) -> Reflection:
    own = visible.reflections(person(request)).select_related("session__group")
    return get_object_or_404(own, pk=pk)


def _names_known(request: HttpRequest, mine: Reflection, at: datetime) -> Iterable[str]:
    """Who left the group learns by no check of a text who is in it now."""
    session = mine.session
    if session is None or not visible.entered(person(request), at).filter(pk=session.pk).exists():
        return ()
    return names(session.group, at)


@sensitive_variables("initial")
def _form(request: HttpRequest, mine: Reflection | None, names: Iterable[str]) -> ReflectionForm:
    data = request.POST if request.method == "POST" else None
    initial = {"text": mine.text} if mine else {}
    return ReflectionForm(data, initial=initial, names=names)


def _page(request: HttpRequest, form: ReflectionForm, context: dict[str, object]) -> HttpResponse:
    status = 409 if form.non_field_errors() else 200
    return render(request, "sessions/reflection.html", context | {"form": form}, status=status)
