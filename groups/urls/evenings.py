"""Addresses of a programme's templates of an evening."""

from django.urls import URLPattern, path

from groups.views import evenings

EVENINGS = "programmes/<uuid:programme_pk>/evenings/"

urlpatterns: list[URLPattern] = [
    path(EVENINGS, evenings.evening_list, name="evenings"),
    path(f"{EVENINGS}new/", evenings.evening_new, name="evening_new"),
    path(f"{EVENINGS}<uuid:evening_pk>/", evenings.evening_edit, name="evening_edit"),
    path(f"{EVENINGS}<uuid:evening_pk>/back/", evenings.evening_back, name="evening_back"),
]
