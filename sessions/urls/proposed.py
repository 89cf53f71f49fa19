"""Addresses of dates that are proposed."""

from django.urls import URLPattern, path

from sessions.views import proposed

urlpatterns: list[URLPattern] = [
    path("groups/<uuid:pk>/dates/", proposed.dates_answer, name="dates_answer"),
    path("groups/<uuid:pk>/dates/settle/", proposed.dates_settle, name="dates_settle"),
]
