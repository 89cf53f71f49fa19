"""What comes in when someone is proposed, and when someone new makes an account."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from groups.models import ProposedRole
from groups.zones import zone_choices
from members.models import Member


class ProposeForm(forms.Form):
    """Who, and as what; one page for leaders and the office."""

    address = forms.EmailField(label=_("E-mail"))
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    role = forms.ChoiceField(
        label=_("As"),
        choices=[(ProposedRole.MEMBER, _("a member")), (ProposedRole.LEADER, _("a leader"))],
        initial=ProposedRole.MEMBER,
    )


class NewAccountForm(forms.Form):
    """The few things a new person tells; the address is proved by the invitation itself."""

    name = forms.CharField(
        label=_("Your name"), max_length=120, help_text=_("As the group shall see it.")
    )
    profession = forms.CharField(label=_("Profession"), max_length=80, required=False)
    time_zone = forms.ChoiceField(label=_("Your time zone"), choices=zone_choices)
    password = forms.CharField(
        label=_("Choose a password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        person = Member(email=self.email, name=self.cleaned_data.get("name", ""))
        password_validation.validate_password(password, person)
        return password
