"""Every address of this part, by subject."""

from django.urls import URLPattern

from groups.urls import ending, evenings, inside, joining, record

urlpatterns: list[URLPattern] = [
    *ending.urlpatterns,
    *evenings.urlpatterns,
    *inside.urlpatterns,
    *joining.urlpatterns,
    *record.urlpatterns,
]
