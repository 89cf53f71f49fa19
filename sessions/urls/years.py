"""Addresses of a whole year to take along."""

from django.urls import URLPattern, path

from sessions.views import years

urlpatterns: list[URLPattern] = [
    path("calendar/<int:year>.pdf", years.calendar_year_pdf, name="calendar_year_pdf"),
    path("calendar/<int:year>.ics", years.calendar_year_ics, name="calendar_year_ics"),
    path("groups/<uuid:pk>/<int:year>.pdf", years.group_year_pdf, name="group_year_pdf"),
    path("groups/<uuid:pk>/<int:year>.ics", years.group_year_ics, name="group_year_ics"),
]
