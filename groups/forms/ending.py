"""What comes in about a group's end."""

from django import forms
from django.utils.translation import gettext_lazy as _

from groups.forms.inside import day_input


class GroupEndForm(forms.Form):
    """The group's last day."""

    last_on = forms.DateField(
        label=_("The group’s last day"),
        widget=day_input(),
        help_text=_("Choose the day of a meeting, so that there is a farewell."),
    )
