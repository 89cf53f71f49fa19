"""What a person wishes in one group."""

from django import forms
from django.utils.translation import gettext_lazy as _

from groups.forms.reminding import DaysField
from groups.models import Preference


class PreferenceForm(forms.ModelForm):
    reminder_days = DaysField(
        label=_("When they come"), help_text=_("Nothing chosen: as the group has it.")
    )

    class Meta:
        model = Preference
        fields = ["reminders", "reminder_days", "shares_phone"]
