"""What comes in when leaders say who leads tonight."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from members.models import Member


class LeadForm(forms.Form):
    """Who leads; `seen` is the arrangement the page showed, empty where it was as always."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, leaders: Sequence[Member], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = [(str(leader.pk), str(leader)) for leader in leaders]


class AloneForm(LeadForm):
    """Which leader leads alone."""

    leader = forms.TypedChoiceField(label=_("Who leads"), coerce=UUID)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["leader"].choices = self.people  # type: ignore[attr-defined]


class SubstituteForm(LeadForm):
    """Who leads this once; the name is what the group reads."""

    name = forms.CharField(label=_("Name"), max_length=120)
    address = forms.EmailField(
        label=_("E-mail"),
        help_text=_("When and where goes there. With an account here, more is shown after a yes."),
    )
    instead_of = forms.TypedChoiceField(
        label=_("Stands in for"), coerce=UUID, empty_value=None, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["instead_of"]
        everyone = [] if len(self.people) == 1 else [("", _("all leaders"))]
        field.choices = [*everyone, *self.people]  # type: ignore[attr-defined]
