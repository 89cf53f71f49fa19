"""Calendar files: a person's feed by its token, one session's file, and the page of the token."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from groups.gate import person
from members.forms import CalendarMailForm
from members.identity import become
from sessions import feeds, ics
from sessions.models import CalendarFeed
from sessions.views.calendar import seen

CALENDAR_FILE = "text/calendar; charset=utf-8"


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """All dates of whom the token belongs to; 304 when nothing changed since the last poll.

    The token alone says who asks: no cookie is read or set.
    """
    now = timezone.now()
    known = feeds.find(token, at=now)
    if known is None:
        return HttpResponseNotFound(render_to_string("404.html"))
    if _unchanged(request, known.etag):
        response: HttpResponse = HttpResponseNotModified()
    else:
        become(known.member)
        with translation.override(known.member.language):
            response = HttpResponse(feeds.render(known.member, at=now), CALENDAR_FILE)
    response.headers["ETag"] = known.etag
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@require_safe
def session_ics(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One session as a file, the same entry as in the feed."""
    found, _roles = seen(request, pk)
    with translation.override(person(request).language):
        content = ics.published([found])
    disposition = {"Content-Disposition": 'attachment; filename="balint.ics"'}
    return HttpResponse(content, CALENDAR_FILE, headers=disposition)


@require_http_methods(["GET", "HEAD", "POST"])
def settings_calendar(request: HttpRequest) -> HttpResponse:
    """Make the address of one's calendar: shown in the answer to the click, and never again.

    And whether mails carry entries for it.
    """
    if request.POST.get("do") == "mails":
        return _choose_mails(request)
    context: dict[str, object] = {"mails": CalendarMailForm(instance=person(request))}
    if request.method == "POST":
        token = feeds.make(person(request), at=timezone.now())
        address = settings.SITE_URL + reverse("feed", args=[token])
        context["address"] = address
        context["webcal"] = f"webcal:{address.partition(':')[2]}"
    context["feed"] = CalendarFeed.objects.filter(member=person(request)).first()
    return render(request, "members/settings_calendar.html", context)


def _choose_mails(request: HttpRequest) -> HttpResponse:
    # A box alone cannot be filled in wrongly.
    form = CalendarMailForm(request.POST, instance=person(request))
    form.save(commit=False).save(update_fields=["calendar_mail"])
    messages.success(request, _("Saved."))
    return redirect("settings_calendar")


def _unchanged(request: HttpRequest, etag: str) -> bool:
    """Whether the asker has this already; a proxy that compresses makes a weak tag of ours."""
    held = parse_etags(request.headers.get("If-None-Match", ""))
    return any(tag in {"*", etag} for tag in (tag.removeprefix("W/") for tag in held))
