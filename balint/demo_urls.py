"""Addresses that exist in the demo alone."""

from django.urls import URLPattern, path

from balint import demo_views

urlpatterns: list[URLPattern] = [
    path("mail/", demo_views.mails, name="demo_mails"),
    path("mail/<str:key>/", demo_views.mail, name="demo_mail"),
]
