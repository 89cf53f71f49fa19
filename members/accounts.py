"""How accounts come to be: by invitation only, so the open sign-up page stays shut."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up happens on an invitation's page (groups), never at /accounts/signup/."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
