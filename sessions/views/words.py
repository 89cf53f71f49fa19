"""“A word for yourselves”: read, changed and taken away by those who led."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from groups.gate import person
from members.refusals import Refused
from sessions import conduct, gate, words
from sessions.forms.writing import word_form
from sessions.words import Word


@sensitive_post_parameters("word-text")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def leaders_note(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One's own word about this meeting, and what the other leader shares of theirs."""
    at = timezone.now()
    session = gate.led(request, pk, at)
    data = request.POST if request.method == "POST" else None
    if data is None:
        conduct.check_begun(session, at)
    if request.POST.get("do") == "delete":
        seen = Word("", seen=request.POST.get("word-seen"))
        words.keep(session, seen, by=person(request), at=at)
        messages.success(request, _("Deleted."))
        return redirect("leaders_note", pk)
    form = word_form(data, session=session, member=person(request), at=at)
    if form.is_valid():
        try:
            words.keep(session, form.word, by=person(request), at=at)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Saved."))
            return redirect("session", pk)
    context = {
        "session": session,
        "form": form,
        "own": words.own(session, person(request), at),
        "others": words.of_the_other(session, person(request), at),
    }
    status = 409 if form.non_field_errors() else 200
    return render(request, "sessions/leaders_note.html", context, status=status)
