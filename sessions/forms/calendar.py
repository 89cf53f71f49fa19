"""What comes in with “I can't come”."""

from django import forms
from django.utils.translation import gettext_lazy as _

from members.checked import ChecksText


class CannotComeForm(ChecksText, forms.Form):
    """Nothing has to be said; what is said is for the leaders."""

    checked = ("reason",)

    reason = forms.CharField(
        label=_("A word to the leaders"),
        help_text=_("Only the leaders see it. It is forgotten 30 days after the meeting."),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class YearForm(forms.Form):
    """Which year of a group to show."""

    year = forms.IntegerField(min_value=1990, max_value=2199, required=False)
