"""What happens: sessions, who came, cases; Django's own `sessions` keeps its label."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SessionsConfig(AppConfig):
    name = "sessions"
    label = "balint_sessions"
    verbose_name = _("Sessions")

    def ready(self) -> None:
        from sessions import (
            erasure,
            few,
            letters,
            listening,
            nomeeting,
            office,
            rooms,
            tonight_letters,
        )
        from sessions.planning import letters as letters_of_dates

        letters.register_kinds()
        nomeeting.register_kind()
        few.register_kind()
        tonight_letters.register_kinds()
        letters_of_dates.register_kinds()
        erasure.register_kinds()
        listening.listen()
        office.keep_versions_from_meetings()
        rooms.register()
