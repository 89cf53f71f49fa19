"""What a person tells about themselves."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from members.models import Member

PHONE = RegexValidator(
    r"^\+?[\d\s()/.-]{5,30}$", _("Write a number such as +44 20 7946 0000, without other words.")
)


class ProfileForm(forms.ModelForm):
    """Profile and, in a row of its own, a number to ring."""

    time_zone = forms.ChoiceField(label=_("Time zone"))
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    phone = forms.CharField(
        label=_("Phone number"),
        required=False,
        max_length=40,
        validators=[PHONE],
        help_text=_("Nobody sees it until you share it with the leaders of a group."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )

    class Meta:
        model = Member
        fields = ["name", "profession", "time_zone", "language"]

    def __init__(self, *args: Any, zones: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = zones
