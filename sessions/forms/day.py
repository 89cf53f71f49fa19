"""What comes in when a day of several meetings is planned."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from groups.cadence import instant
from groups.evening_models import EveningTemplate
from groups.models import Group, Setting
from groups.zones import city
from members.models import Member
from sessions.forms.planning import DayInput, HourInput, leader_field, minutes_field
from sessions.planning import OfDay

BEGINS = time(9, 30)


class DayForm(forms.Form):
    """A day, and for each meeting when it begins, how long it lasts and who leads it."""

    on = forms.DateField(label=gettext_lazy("Date"), widget=DayInput)
    place = forms.CharField(label=gettext_lazy("Where"), max_length=160, required=False)
    setting = forms.ChoiceField(label=gettext_lazy("How you meet"), choices=Setting.choices)

    def __init__(
        self,
        data: Any = None,
        *,
        group: Group,
        template: EveningTemplate,
        leaders: Sequence[Member],
        at: datetime,
    ) -> None:
        super().__init__(data, initial={"place": group.place, "setting": group.setting})
        self.zone, self.at, self.count = group.time_zone, at, template.sessions
        begins = datetime.combine(at.date(), BEGINS)
        for number in range(self.count):
            self.fields[f"starts_{number}"] = forms.TimeField(
                label=_("%(number)d. From") % {"number": number + 1},
                widget=HourInput,
                required=False,
                initial=begins.time(),
                help_text=city(self.zone) if number == 0 else "",
            )
            lasts = minutes_field(label=_("For (minutes)"), initial=template.total)
            self.fields[f"minutes_{number}"] = lasts
            led_by = leader_field(leaders)
            led_by.initial = str(leaders[number % len(leaders)].pk) if leaders else ""
            self.fields[f"led_by_{number}"] = led_by
            begins += timedelta(minutes=template.total + template.pause)

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        """The fields of each meeting."""
        names = ("starts", "minutes", "led_by")
        return [[self[f"{name}_{number}"] for name in names] for number in range(self.count)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and any(one.starts_at <= self.at for one in self._meetings(data)):
            self.add_error("on", _("Choose a day that lies ahead."))
        return data

    def wishes(self) -> dict[str, Any]:
        """The arguments of `planning.plan_day`."""
        data = self.cleaned_data
        where = {name: data[name] for name in ("place", "setting")}
        return {"meetings": self._meetings(data), "zone": self.zone} | where

    def _meetings(self, data: dict[str, Any]) -> list[OfDay]:
        """Those that have a beginning; a row without one is no meeting."""
        return [
            OfDay(
                instant(data["on"], data[f"starts_{number}"], self.zone),
                data[f"minutes_{number}"],
                data[f"led_by_{number}"],
            )
            for number in range(self.count)
            if data[f"starts_{number}"]
        ]
