"""Addresses of planning."""

from django.urls import URLPattern, path

from sessions.views import day, following, planning

urlpatterns: list[URLPattern] = [
    path("groups/<uuid:pk>/schedule/", planning.schedule, name="schedule"),
    path("groups/<uuid:pk>/schedule/new/", planning.session_new, name="session_new"),
    path("groups/<uuid:pk>/schedule/day/", day.day_new, name="day_new"),
    path("groups/<uuid:pk>/schedule/end/", following.series_end, name="series_end"),
    path("sessions/<uuid:pk>/edit/", planning.session_edit, name="session_edit"),
    path("sessions/<uuid:pk>/following/", following.session_following, name="session_following"),
    path("sessions/<uuid:pk>/cancel/", planning.session_cancel, name="session_cancel"),
    path("sessions/<uuid:pk>/restore/", planning.session_restore, name="session_restore"),
    path("sessions/<uuid:pk>/undo/", planning.session_undo, name="session_undo"),
]
