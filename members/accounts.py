"""How accounts come to be: by invitation only, so the open sign-up page stays shut."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.http import HttpRequest

from members.identity import become
from members.models import Member


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up happens on an invitation's page (groups), never at /accounts/signup/."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


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
