"""Addresses of proposals and invitations."""

from django.urls import URLPattern, path

from groups.views import joining, optout, preferences, profile

urlpatterns: list[URLPattern] = [
    path("groups/<uuid:pk>/propose/", joining.proposal_new, name="proposal_new"),
    path("proposals/<uuid:pk>/answer/", joining.proposal_answer, name="proposal_answer"),
    path("proposals/<uuid:pk>/resend/", joining.proposal_resend, name="proposal_resend"),
    path("proposals/<uuid:pk>/withdraw/", joining.proposal_withdraw, name="proposal_withdraw"),
    path("invitations/<str:token>/", joining.invitation, name="invitation"),
    path("settings/", profile.settings, name="settings"),
    path("unsubscribe/<str:token>/", optout.unsubscribe, name="unsubscribe"),
    path("settings/groups/", preferences.settings_groups, name="settings_groups"),
]
