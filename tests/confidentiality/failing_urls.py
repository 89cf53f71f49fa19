"""Every way to fail with an opened title in hand, and with what was just typed."""

import logging
from uuid import UUID

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from balint.urls import urlpatterns as addresses
from sessions.models import CasePresentation


def fail(request: HttpRequest, pk: UUID, how: str) -> HttpResponse:
    case = CasePresentation.objects.get(pk=pk)
    title, typed = case.title, request.POST.get("text", "")
    if how == "raises":
        raise ValueError("in the middle of a page")
    if how == "says":
        raise ValueError(f"no page for {title}, and none for {typed}")
    if how == "logs":
        try:
            int(title)
        except ValueError:
            logging.getLogger("balint").exception("A title is no number")
        return HttpResponse("logged")
    if how == "saves":
        case.title = typed
        case.save()
    with connection.cursor() as cursor:
        cursor.execute("select 1 / 0")
    return HttpResponse(title)


urlpatterns = [path("failing/<uuid:pk>/<str:how>/", fail), *addresses]
