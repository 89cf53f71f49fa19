"""The frame: programmes, groups, who belongs to them, and when they meet."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GroupsConfig(AppConfig):
    name = "groups"
    verbose_name = _("Groups")

    def ready(self) -> None:
        from groups import duties
        from groups.letters import register_kinds

        register_kinds()
        duties.register()
