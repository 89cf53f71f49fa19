"""What a person tells about themselves."""

from datetime import time
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
        fields = ["name", "profession", "time_zone", "language", "quiet_from", "quiet_until"]
        labels = {"quiet_from": _("No reminders from"), "quiet_until": _("No reminders until")}
        help_texts = {
            "quiet_until": _("On your own clock. Twice the same time: they come at any hour."),
        }

    def __init__(self, *args: Any, zones: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("quiet_from", "quiet_until"):
            self.fields[name].required = False
            self.fields[name].widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = zones

    def clean_quiet_from(self) -> time:
        return self.cleaned_data["quiet_from"] or self.instance.quiet_from

    def clean_quiet_until(self) -> time:
        return self.cleaned_data["quiet_until"] or self.instance.quiet_until


class CalendarMailForm(forms.ModelForm):
    """Whether mails carry calendar entries."""

    class Meta:
        model = Member
        fields = ["calendar_mail"]
        labels = {"calendar_mail": _("Send calendar entries with the mails")}
        help_texts = {
            "calendar_mail": _(
                "If your calendar follows your address, switch this off: some calendars would show "
                "each date twice. Entries that came by mail before stay as they are."
            ),
        }
