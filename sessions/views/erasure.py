"""The page on which somebody has the account deleted."""

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from groups.gate import person
from members.refusals import Refused
from members.stepup import confirmed_lately
from sessions import erasure
from sessions.forms.erasure import EraseForm


@sensitive_post_parameters("email")
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed_lately
def settings_erase(request: HttpRequest) -> HttpResponse:
    """Say what goes at once and what stays until when; then, once the address is typed, do it."""
    member, at = person(request), timezone.now()
    form = EraseForm(request.POST or None, address=member.email)
    status = 200
    try:
        if form.is_valid():
            erasure.erase(member, at=at)
            return _gone(request)
        erasure.check(member, at=at)
        refused = ""
    except Refused as sentence:
        refused, status = str(sentence), 409 if request.method == "POST" else 200
    page = {"form": form, "refused": refused, "days": erasure.BACKUPS_DAYS}
    page["programmes"] = ", ".join(erasure.programmes_alone(member, at=at))
    return render(request, "sessions/erase.html", page, status=status)


def _gone(request: HttpRequest) -> HttpResponse:
    """Sign the browser out and leave nothing in it."""
    logout(request)
    response = render(request, "sessions/erased.html", {"days": erasure.BACKUPS_DAYS})
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response
