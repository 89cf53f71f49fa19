"""Every address of this part, by subject."""

from django.urls import URLPattern

from sessions.urls import calendar, evening, office, planning

urlpatterns: list[URLPattern] = [
    *calendar.urlpatterns,
    *evening.urlpatterns,
    *office.urlpatterns,
    *planning.urlpatterns,
]
