"""Addresses of the office, and of the agreement."""

from django.urls import URLPattern, path

from sessions.views import agreement, office

GROUP = "programmes/<uuid:programme_pk>/groups/<uuid:pk>/"

urlpatterns: list[URLPattern] = [
    path("groups/<uuid:pk>/agreement/", agreement.agreement, name="agreement"),
    path("groups/<uuid:pk>/agreement/edit/", agreement.agreement_edit, name="agreement_edit"),
    path(
        "groups/<uuid:pk>/agreement/take-back/",
        agreement.agreement_take_back,
        name="agreement_take_back",
    ),
    path("programmes/<uuid:pk>/", office.programme, name="programme"),
    path("programmes/<uuid:pk>/groups/new/", office.group_new, name="group_new"),
    path(GROUP, office.group, name="programme_group"),
    path(f"{GROUP}edit/", office.group_frame, name="group_frame"),
    path(f"{GROUP}propose/", office.propose, name="propose"),
]
