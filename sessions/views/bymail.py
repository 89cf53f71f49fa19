"""The page a letter leads to: coming or not, without signing in."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from groups.zones import when_words
from members import limits
from members.identity import become
from members.refusals import Refused
from sessions import bymail
from sessions.bymail import Asked


# The address alone is the right: no cookie is read or set, so there is none to be misused.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def answer_by_mail(request: HttpRequest, token: str) -> HttpResponse:
    """Alias and time, and two buttons: reading changes nothing, whoever opens the link."""
    now = timezone.now()
    asked = bymail.read(token, at=now)
    if asked is None:
        return _gone()
    become(asked.member)
    person = asked.member
    with translation.override(person.language), timezone.override(person.time_zone):
        if not bymail.expects(asked, at=now):
            return _gone()
        if request.method == "POST":
            return _said(request, asked)
        return _page(asked)


def _said(request: HttpRequest, asked: Asked) -> HttpResponse:
    said = request.POST.get("coming")
    if said not in {"yes", "no"}:
        return _page(asked)
    if not limits.take(request, "by_mail", key=asked.key):
        return limits.refuse(request, limits.wait(request, "by_mail", key=asked.key))
    try:
        bymail.say(asked, coming=said == "yes", at=timezone.now())
    except Refused:
        return _gone()
    return _page(asked, said)


def _page(asked: Asked, said: str = "") -> HttpResponse:
    """What was said stands in the answer to the click alone: the link by itself tells nobody."""
    session, person = asked.session, asked.member
    today = timezone.localdate(timezone=session.zone)
    context = {
        "group": session.group.name_outside,
        "when": when_words(
            session.starts_at, session.minutes, session.time_zone, person.time_zone, today
        ),
        "said": said,
        "reason_url": reverse("session_answer", args=[session.pk]),
    }
    return HttpResponse(render_to_string("sessions/answer_by_mail.html", context))


def _gone() -> HttpResponse:
    """The same for a link that is wrong, over, replaced, or of somebody who has left."""
    return HttpResponse(render_to_string("sessions/answer_gone.html"), status=404)
