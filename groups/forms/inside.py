"""What comes in from a group's own pages: its frame, its inside, leaving, and time away."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from groups import frames
from groups.forms.reminding import DaysField
from groups.models import Entrance, Group
from groups.zones import zone_choices
from members.checked import ChecksText

REASON_HELP = _("Only the leaders read it. It is forgotten 90 days after.")


def day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def reason_field(label: Any, help_text: Any = REASON_HELP) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class FrameForm(forms.ModelForm):
    """What the office and the leaders both may set."""

    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        help_text=_("Meetings planned already stay as they are."),
    )

    class Meta:
        model = Group
        fields = frames.FRAME

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)  # noqa: S101 - for the type checker
        current = self.instance.time_zone or self.initial.get("time_zone", "")
        zone.choices = zone_choices(current)
        if "cap" in self.fields:
            self.fields["cap"].widget.attrs.update(min=2, max=15)


class NewGroupForm(FrameForm):
    """A new group: only what is needed to begin."""

    class Meta:
        model = Group
        fields = ("name", "setting", "place", "time_zone")


class InsideForm(forms.ModelForm):
    """How one gets in, what is shown and kept; the leaders' alone."""

    join_link = forms.URLField(
        label=_("Link of the video call"),
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text=_("Shown inside from 15 minutes before a meeting. Never in a mail or calendar."),
    )
    door = forms.CharField(
        label=_("The door"),
        required=False,
        max_length=200,
        help_text=_("A code, a bell, a floor: for those inside, never in a mail or calendar."),
    )

    reminder_days = DaysField(
        label=_("Reminders by mail"),
        help_text=_(
            "Nothing chosen: 7 days and the day before; the day before only, where you meet more "
            "often than every three weeks. Each person may choose otherwise."
        ),
    )

    class Meta:
        model = Group
        fields = (
            "alias",
            "presenter_camera",
            "shows_absences",
            "keeps_cases_days",
            "reminder_days",
        )
        help_texts = {
            "keeps_cases_days": _(
                "7 to 365. A new number holds for later cases only; making it longer needs the "
                "yes of every member."
            )
        }

    def __init__(self, *args: Any, entrance: Entrance | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["keeps_cases_days"].widget.attrs.update(min=7, max=365)
        if entrance:
            self.initial.update(join_link=entrance.join_link, door=entrance.door)

    def values(self) -> dict[str, Any]:
        """What `frames.edit_inside` takes."""
        given = dict(self.cleaned_data)
        entrance = {name: given.pop(name) for name in ("join_link", "door")}
        return given | {"entrance": entrance}


class AwayForm(ChecksText, forms.Form):
    """A time away: the place is kept, and nothing comes by mail."""

    checked = ("reason",)

    starts_on = forms.DateField(label=_("Away from"), widget=day_input())
    until_on = forms.DateField(
        label=_("Back on"),
        required=False,
        widget=day_input(),
        help_text=_("May stay open."),
    )
    reason = reason_field(_("Why"))


class FarewellForm(ChecksText, forms.Form):
    """The leaders' wish that somebody goes."""

    checked = ("reason",)

    last_on = forms.DateField(
        label=_("Last day"),
        widget=day_input(),
        help_text=_("A farewell is planned: choose the day of a meeting, if you can."),
    )
    reason = reason_field(_("Why"))


class LeaveForm(ChecksText, forms.Form):
    """A person's own leaving: after a last day, or now."""

    checked = ("reason",)

    when = forms.ChoiceField(
        label=_("When"),
        choices=[("later", _("after a last day")), ("now", _("now, at once"))],
        initial="later",
        widget=forms.RadioSelect,
    )
    last_on = forms.DateField(
        label=_("My last day"),
        required=False,
        widget=day_input(),
        help_text=_("Many choose the day of a meeting, so that there is a farewell."),
    )
    reason = reason_field(_("A word to the leaders"))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("when") == "now":
            given["last_on"] = None
        elif not given.get("last_on") and "last_on" not in self.errors:
            self.add_error("last_on", _("Choose your last day."))
        return given
