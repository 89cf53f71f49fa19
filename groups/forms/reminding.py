"""How many days before a meeting a reminder comes."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from groups.cadence import REMINDER_DAYS


class DaysField(forms.TypedMultipleChoiceField):
    """Any of the days there are, or None for none chosen: then what stands above decides."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        choices = [(days, _words(days)) for days in REMINDER_DAYS]
        super().__init__(coerce=int, choices=choices, empty_value=None, required=False, **kwargs)

    def clean(self, value: Any) -> list[int] | None:
        chosen = super().clean(value)
        return sorted(chosen, reverse=True) if chosen else None


def _words(days: int) -> Any:
    if days == 1:
        return _("the day before")
    return format_lazy(_("{days} days before"), days=days)
