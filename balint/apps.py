"""The site itself: its commands, and the grants that follow every migration."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class BalintConfig(AppConfig):
    name = "balint"

    def ready(self) -> None:
        from balint import startup
        from balint.live import publishing
        from balint.roles import grant_after_migrate

        register(startup.check, Tags.security, deploy=True)
        publishing.listen()
        post_migrate.connect(grant_after_migrate, sender=self)
