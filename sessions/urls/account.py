"""Addresses of what becomes of a person's own account."""

from django.urls import URLPattern, path

from sessions.views import erasure

urlpatterns: list[URLPattern] = [
    path("settings/erase/", erasure.settings_erase, name="settings_erase"),
]
