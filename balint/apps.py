"""The site itself: its commands, and the grants that follow every migration."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BalintConfig(AppConfig):
    name = "balint"

    def ready(self) -> None:
        from balint.roles import grant_after_migrate

        post_migrate.connect(grant_after_migrate, sender=self)
