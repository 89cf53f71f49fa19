"""Addresses of what is one's own: what is kept, what may be forgotten now, and all of it."""

from django.urls import URLPattern, path

from sessions.views import kept, reflections

KEPT = "settings/kept/"
REFLECTIONS = "settings/reflections/"

urlpatterns: list[URLPattern] = [
    path(KEPT, kept.kept, name="settings_kept"),
    path(f"{KEPT}answers/<uuid:pk>/", kept.answer_reason_forget, name="answer_reason_forget"),
    path(f"{KEPT}leaves/<uuid:pk>/", kept.leave_reason_forget, name="leave_reason_forget"),
    path(f"{KEPT}leaving/<uuid:pk>/", kept.leaving_reason_forget, name="leaving_reason_forget"),
    path(f"{KEPT}phone/", kept.phone_forget, name="phone_forget"),
    path("settings/export/", kept.settings_export, name="settings_export"),
    path(REFLECTIONS, reflections.reflections, name="reflections"),
    path(f"{REFLECTIONS}<uuid:pk>/", reflections.reflection_edit, name="reflection_edit"),
    path(
        f"{REFLECTIONS}<uuid:pk>/delete/", reflections.reflection_delete, name="reflection_delete"
    ),
]
