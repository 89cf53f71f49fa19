"""Every address; each app lists its own."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from balint import views
from members.views import typed_again

handler429 = "members.limits.too_many"  # allauth looks for it here
urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("accounts/again/", typed_again, name="typed_again"),
    path("accounts/", include("allauth.urls")),
    path("", include("groups.urls")),
    path("", include("sessions.urls")),
]
if settings.DEMO:
    urlpatterns.append(path("demo/", include("balint.demo_urls")))
