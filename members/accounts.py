"""How accounts come to be: by invitation only, so the open sign-up page stays shut."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.logout import logout
from allauth.account.models import EmailAddress
from django.http import HttpRequest

from members.identity import become
from members.models import Member


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up happens on an invitation's page (groups), never at /accounts/signup/."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """The letter proves the address; whoever else is signed in here has no part in it."""
        if request.user.is_authenticated and request.user.pk != email_address.user_id:
            logout(request, show_message=False)
            become(None)
        return super().confirm_email(request, email_address)


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
