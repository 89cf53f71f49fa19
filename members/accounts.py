"""How accounts come to be: by invitation only, so the open sign-up page stays shut."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.logout import logout
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.http import HttpRequest

from members import limits
from members.identity import become
from members.models import Member

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up happens on an invitation's page (groups), never at /accounts/signup/."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A letter that is refused changes no answer, or it would say whose address is known."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:
            # Every error of smtplib is one; its words hold the address, so only its code is kept.
            log.warning("A letter about an account was not taken: %s", _code(error))

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """The letter proves the address; whoever else is signed in here has no part in it."""
        if request.user.is_authenticated and request.user.pk != email_address.user_id:
            logout(request, show_message=False)
            become(None)
        return super().confirm_email(request, email_address)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a password before it is tried; the right one is taken off the count again.

        Counted by account and machine, so that who guesses elsewhere locks nobody out. Over all
        machines together there is an end too, but not for one among the person's signed-in devices.
        """
        super().pre_authenticate(request, **credentials)
        address = credentials.get("email", "").lower()
        self._of_address = limits.take(request, "sign_in_address", key=address)
        if not self._of_address and not self._is_known(request, address):
            raise self.validation_error("too_many_login_attempts")

    def _is_known(self, request: HttpRequest, address: str) -> bool:
        listed = UserSession.objects.filter(user__email__iexact=address)
        machines = listed.values_list("ip", flat=True)
        return limits.machine(request) in {limits.network(machine) for machine in machines}

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        account = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{account} from {limits.machine(request)}"

    def _rollback_login_failed_rl_usage(self) -> None:
        super()._rollback_login_failed_rl_usage()
        if self._of_address:
            self._of_address.rollback()


def _code(error: OSError) -> str:
    answers = getattr(error, "recipients", {}) or {None: (getattr(error, "smtp_code", None),)}
    code = next(iter(answers.values()))[0]
    return str(code or type(error).__name__)


def make_account(
    address: str, *, name: str, profession: str, time_zone: str, password: str
) -> Member:
    """An account for a person whose address an invitation has proved."""
    member = Member.objects.create_user(
        address, password, name=name, profession=profession, time_zone=time_zone
    )
    EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
    return member


def act_as(member: Member) -> None:
    """Somebody who signed in during this request goes on under their own name."""
    become(member)
