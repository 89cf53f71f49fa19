"""What comes in when proposed dates are marked, or settled. Shape and cleaning only."""

from typing import Any
from uuid import UUID

from django import forms


class DatesField(forms.TypedMultipleChoiceField):
    """Ticked dates by their id; whether each is still proposed is not a matter of shape."""

    def __init__(self) -> None:
        super().__init__(coerce=UUID, required=False)

    def valid_value(self, value: Any) -> bool:
        """Any: the verb sees whether the page was made of these dates."""
        return True


class MarkForm(forms.Form):
    """Which of the dates one cannot; `seen` is what the page was made of."""

    cannot = DatesField()
    seen = forms.CharField(required=False, max_length=32)


class SettleForm(forms.Form):
    """Nothing to fill in: `seen` is how the dates and what was marked of them were shown.

    Without it nobody has seen them; the verb says so.
    """

    seen = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
