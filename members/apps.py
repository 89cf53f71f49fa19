"""The person, and what serves every part: letters, envelope, identity."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    name = "members"
    verbose_name = _("Members")

    def ready(self) -> None:
        from members import audit, mfa, second_factor, signins, sitting
        from members.audit import accounts as audit_of_accounts

        audit.listen()
        audit_of_accounts.listen()
        signins.listen()
        mfa.listen()
        sitting.listen()
        second_factor.listen()
