"""The demo's mail, readable without a mailbox. These pages exist in the demo alone."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from balint import demo_mail


def mails(request: HttpRequest) -> HttpResponse:
    """Everything that arrived, the newest first."""
    return render(request, "demo/mails.html", {"mails": demo_mail.newest()})


def mail(request: HttpRequest, key: str) -> HttpResponse:
    """One mail as plain text."""
    found = demo_mail.read(key)
    if found is None:
        raise Http404
    return render(request, "demo/mail.html", {"mail": found})
