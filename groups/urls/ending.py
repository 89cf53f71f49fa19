"""Addresses of a group's end."""

from django.urls import URLPattern, path

from groups.views import ending

urlpatterns: list[URLPattern] = [
    path("groups/<uuid:pk>/end/", ending.group_end, name="group_end"),
    path(
        "programmes/<uuid:programme_pk>/groups/<uuid:pk>/end/",
        ending.programme_group_end,
        name="programme_group_end",
    ),
]
