"""Who observes: a page for the leaders of a group that meets with some outside the circle."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from groups.gate import person
from members.refusals import Refused
from sessions import before, gate, observers, observing
from sessions.forms.evening import ObserversForm
from sessions.views.evening import when_of


@require_http_methods(["GET", "HEAD", "POST"])
def observers_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Tick who sits outside this time."""
    at = timezone.now()
    session = gate.led(request, pk, at)
    if not session.group.has_observers:
        raise Http404
    if request.method != "POST":
        observers.check_takes_place(session, at)
    names = before.known_as(observers.may_observe(session))
    initial = {"seen": session.step, "outside": [str(pk) for pk in observing.of(session)]}
    form = ObserversForm(request.POST or None, names=names, initial=initial)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            observers.choose(session, **form.wishes(), by=person(request), at=at)
        except Refused as refused:
            form.add_error(None, str(refused))
            status = 409
        else:
            messages.success(request, _("Saved."))
            return redirect("before", session.pk)
    context = {"session": session, "form": form, "when": when_of(request, session, at)}
    return render(request, "sessions/observers.html", context, status=status)
