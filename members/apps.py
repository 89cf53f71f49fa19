"""The person, and what serves every part: letters, envelope, identity."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    name = "members"
    verbose_name = _("Members")

    def ready(self) -> None:
        from members import audit, mfa, signins, sitting

        audit.listen()
        signins.listen()
        mfa.listen()
        sitting.listen()
