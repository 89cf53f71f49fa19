"""What a person wishes in one group."""

from django import forms

from groups.models import Preference


class PreferenceForm(forms.ModelForm):
    class Meta:
        model = Preference
        fields = ["reminders", "shares_phone"]
