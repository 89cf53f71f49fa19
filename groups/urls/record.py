"""Addresses of a group's record."""

from django.urls import URLPattern, path

from groups.views import record

urlpatterns: list[URLPattern] = [
    path("groups/<uuid:pk>/record/", record.record, name="record"),
    path(
        "programmes/<uuid:programme_pk>/groups/<uuid:pk>/record/",
        record.programme_record,
        name="programme_record",
    ),
]
