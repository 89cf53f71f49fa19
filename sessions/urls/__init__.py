"""Every address of this part, by subject."""

from django.urls import URLPattern

from sessions.urls import account, calendar, evening, office, own, planning, proposed, years

urlpatterns: list[URLPattern] = [
    *account.urlpatterns,
    *calendar.urlpatterns,
    *evening.urlpatterns,
    *office.urlpatterns,
    *own.urlpatterns,
    *planning.urlpatterns,
    *proposed.urlpatterns,
    *years.urlpatterns,
]
