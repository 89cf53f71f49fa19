"""What comes in from the office, and a new version of the agreement."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from groups.forms.inside import day_input
from groups.models import Membership


class AgreementForm(forms.Form):
    """The text, and the day on which everyone is asked again."""

    text = forms.CharField(
        label=_("The text"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 18})
    )
    begins_on = forms.DateField(
        label=_("Holds from"),
        widget=day_input(),
        help_text=_(
            "On that day everyone is asked to agree again, you too. "
            "At least a day away from any meeting."
        ),
    )


class InGroup(forms.ModelChoiceField):
    """A person in the group, by name."""

    def label_from_instance(self, obj: Membership) -> str:
        return str(obj.member)


class AskEndingForm(forms.Form):
    """The office asks the leaders for somebody's farewell; it gives a date and no reason."""

    membership = InGroup(label=_("Who"), queryset=Membership.objects.none(), empty_label=None)
    last_on = forms.DateField(label=_("Last day"), widget=day_input())

    def __init__(self, *args: Any, memberships: Sequence[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["membership"]
        assert isinstance(field, InGroup)  # noqa: S101 - for the type checker
        pks = [membership.pk for membership in memberships]
        field.queryset = Membership.objects.filter(pk__in=pks).select_related("member", "group")
