"""Every address of this part, by subject."""

from django.urls import URLPattern

from groups.urls import inside, joining

urlpatterns: list[URLPattern] = [
    *inside.urlpatterns,
    *joining.urlpatterns,
]
