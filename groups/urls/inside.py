"""Addresses of a group's members and of how it is set up."""

from django.urls import URLPattern, path

from groups.views import inside

urlpatterns: list[URLPattern] = [
    path("groups/<uuid:pk>/roster/", inside.roster_page, name="roster"),
    path(
        "groups/<uuid:pk>/roster/<uuid:membership_pk>/away/",
        inside.roster_person,
        {"how": "away"},
        name="roster_away",
    ),
    path(
        "groups/<uuid:pk>/roster/<uuid:membership_pk>/farewell/",
        inside.roster_person,
        {"how": "farewell"},
        name="roster_farewell",
    ),
    path(
        "groups/<uuid:pk>/roster/<uuid:membership_pk>/back/",
        inside.roster_back,
        name="roster_back",
    ),
    path("endings/<uuid:pk>/yes/", inside.ending_confirm, name="ending_confirm"),
    path("endings/<uuid:pk>/withdraw/", inside.ending_withdraw, name="ending_withdraw"),
    path("groups/<uuid:pk>/leave/", inside.leave_group, name="leave_group"),
    path("groups/<uuid:pk>/edit/", inside.group_edit, name="group_edit"),
]
