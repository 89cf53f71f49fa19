"""What comes in when a year is planned, or one of its dates changed. Shape and cleaning only."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from groups.cadence import (
    Cadence,
    CadenceCannotBe,
    Rule,
    RuleCannotBe,
    format_breaks,
    instant,
    parse_breaks,
    rule_choices,
)
from groups.models import Setting
from groups.zones import city, zone_choices
from members.checked import ChecksText
from members.models import Member
from sessions import planning
from sessions.models import Session
from sessions.planning import Fate, Line, Plan
from sessions.planning.words import Note

HOW_LONG = _("A meeting lasts between 15 minutes and 12 hours.")


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class HourInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class RuleField(forms.ChoiceField):
    """A rhythm by its code; one that cannot be is refused with the words that say why."""

    def validate(self, value: Any) -> None:
        forms.Field.validate(self, value)
        try:
            Rule.from_code(value)
        except RuleCannotBe as reason:
            raise forms.ValidationError(str(reason)) from None


def minutes_field(**more: Any) -> forms.IntegerField:
    """Real minutes, with the one sentence for too few and too many."""
    said = {"min_value": HOW_LONG, "max_value": HOW_LONG}
    return forms.IntegerField(min_value=15, max_value=720, error_messages=said, **more)


class PlanForm(forms.Form):
    """Six fields in sight, all filled in; the dates and the interval one level deeper."""

    rule = RuleField(label=_("Rhythm"))
    starts_at = forms.TimeField(label=_("From"), widget=HourInput)
    minutes = minutes_field(label=_("For (minutes)"))
    time_zone = forms.ChoiceField(label=_("Time zone"))
    place = forms.CharField(label=_("Where"), max_length=160, required=False)
    breaks = forms.CharField(
        label=_("Breaks"),
        max_length=1000,
        required=False,
        help_text=_("Like 15 Jul – 31 Aug summer; 20 Dec – 6 Jan"),
    )
    first_on = forms.DateField(label=_("First date"), widget=DayInput)
    last_on = forms.DateField(label=_("Last date"), widget=DayInput)
    interval = forms.IntegerField(
        label=_("Every how many months or weeks"),
        required=False,
        help_text=_("Only if the rhythm above does not say it: 2 is every other month or week."),
    )
    past_known = forms.BooleanField(required=False)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    IN_SIGHT: tuple[str, ...] = ("rule", "starts_at", "minutes", "time_zone", "place", "breaks")
    DEEPER: tuple[str, ...] = ("first_on", "last_on", "interval")

    def __init__(self, data: Any = None, *, offered: Plan) -> None:
        """Without `data` it says what is offered, and is as good as if that had been typed."""
        super().__init__(_as_typed(offered) if data is None else data)
        self.plan: Plan | None = None
        self._choices("rule", rule_choices(_rule_or_none(str(self["rule"].value()))))
        self._choices("time_zone", zone_choices(str(self["time_zone"].value())))

    @property
    def fields_in_sight(self) -> list[forms.BoundField]:
        return [self[name] for name in self.IN_SIGHT]

    @property
    def deeper_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.DEEPER]

    @property
    def deeper_is_wrong(self) -> bool:
        """Whether the level below has to be open, since something there wants an answer."""
        return any(name in self.errors for name in self.DEEPER)

    def wished(self) -> Plan:
        """The plan of a valid form."""
        if self.plan is None:
            raise ValueError("Only a valid form has a plan.")
        return self.plan

    def _choices(self, name: str, choices: Any) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = choices

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            self._make_plan(data)
        return data

    def _make_plan(self, data: dict[str, Any]) -> None:
        """Put each refusal beside the field that can answer it."""
        place = data["place"].strip()
        field = "interval"
        try:
            rule = _with_interval(Rule.from_code(data["rule"]), data["interval"])
            field = "last_on"
            span = (data["first_on"], data["last_on"])
            parts = (rule, data["starts_at"], data["minutes"], data["time_zone"], *span)
            Cadence(*parts)
            field = "breaks"
            self.plan = Plan(Cadence(*parts, parse_breaks(data["breaks"], *span)), place)
        except CadenceCannotBe as reason:
            self.add_error(field, str(reason))


class FollowingForm(PlanForm):
    """The plan from one date on; where it begins follows from the rhythm."""

    DEEPER = ("last_on", "interval")

    def __init__(self, data: Any = None, *, session: Session) -> None:
        super().__init__(data, offered=planning.plan_from(session))
        self.session = session
        del self.fields["first_on"]

    def _make_plan(self, data: dict[str, Any]) -> None:
        offered = planning.plan_from(self.session, Rule.from_code(data["rule"]))
        data["first_on"] = offered.cadence.first_on
        super()._make_plan(data)


class LastDayForm(forms.Form):
    """The day a rhythm ends with."""

    last_on = forms.DateField(label=_("Last day"), widget=DayInput)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


def _as_typed(plan: Plan) -> dict[str, Any]:
    """A plan as its fields show it."""
    cadence = plan.cadence
    return {
        "rule": cadence.rule.code,
        "starts_at": cadence.starts_at,
        "minutes": cadence.minutes,
        "time_zone": cadence.zone,
        "place": plan.place,
        "breaks": format_breaks(cadence.breaks, *plan.span),
        "first_on": cadence.first_on,
        "last_on": cadence.last_on,
    }


def _rule_or_none(code: str) -> Rule | None:
    try:
        return Rule.from_code(code)
    except RuleCannotBe:
        return None


def _with_interval(rule: Rule, interval: int | None) -> Rule:
    return rule if interval is None else replace(rule, interval=interval)


def leader_field(leaders: Sequence[Member]) -> forms.TypedChoiceField:
    """One of the group's leaders, or nobody in particular."""
    choices = [("", _("all, as always")), *((str(p.pk), str(p)) for p in leaders)]
    return forms.TypedChoiceField(
        label=_("Led by"), choices=choices, coerce=UUID, empty_value=None, required=False
    )


class DateForm(forms.Form):
    """When, for how long, where and how: one meeting, on the clock of its zone."""

    on = forms.DateField(label=_("Date"), widget=DayInput)
    starts_at = forms.TimeField(label=_("From"), widget=HourInput)
    minutes = minutes_field(label=_("For (minutes)"))
    place = forms.CharField(label=_("Where"), max_length=160, required=False)
    setting = forms.ChoiceField(label=_("How you meet"), choices=Setting.choices)
    # What was said of which date, when this form was shown.
    heard = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, data: Any = None, *, zone: str, initial: dict[str, Any], **more: Any
    ) -> None:
        super().__init__(data, initial=initial, **more)
        self.zone = zone
        self.cautions: Sequence[Note] = ()
        self.fields["starts_at"].help_text = city(zone)

    def heeds(self, cautions: Sequence[Note]) -> bool:
        """Whether this date may be saved: what is worth knowing about it was shown before.

        If not, the form shows it, and sent again unchanged it is heeded.
        """
        said = self._named(cautions)
        if not cautions or self.cleaned_data["heard"] == said:
            return True
        self.cautions = cautions
        data = cast(QueryDict, self.data).copy()
        data["heard"] = said
        self.data = data
        return False

    def _named(self, cautions: Sequence[Note]) -> str:
        """A short name for what is said of this date."""
        words = [self._starts_at().isoformat(), *[note.text for note in cautions]]
        return sha256("\n".join(words).encode()).hexdigest()[:16]

    def _starts_at(self) -> datetime:
        return instant(self.cleaned_data["on"], self.cleaned_data["starts_at"], self.zone)

    def _rest(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("minutes", "place", "setting")}


class SeenForm(forms.Form):
    """Posts the state it was made from, so that no leader undoes what another did."""

    seen = forms.IntegerField(widget=forms.HiddenInput)

    def show_as_seen(self, sequence: int) -> None:
        """What is shown again now has been seen as it is now."""
        if self.is_bound:
            data = cast(QueryDict, self.data).copy()
            data["seen"] = str(sequence)
            self.data = data


class MoveForm(ChecksText, SeenForm, DateForm):
    """A planned meeting; what is not touched stays as it is, to the second."""

    checked = ("reason",)

    reason = forms.CharField(
        label=_("Why"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Stays in the group and is in no mail."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        session: Session,
        names: Iterable[str] = (),
        leaders: Sequence[Member] = (),
    ) -> None:
        local = session.starts_at.astimezone(session.zone)
        initial = {
            "on": local.date(),
            "starts_at": local.time(),
            "minutes": session.minutes,
            "place": session.place,
            "setting": session.setting,
            "seen": session.sequence,
        }
        super().__init__(data, zone=session.time_zone, initial=initial, names=names)
        self.session = session
        self.led_by = session.led_by_id
        if len(leaders) > 1:
            self.fields["led_by"] = leader_field(leaders)
            self.initial["led_by"] = str(self.led_by or "")

    @property
    def leader(self) -> UUID | None:
        """Who leads it; as it was, where there is no choice."""
        return self.cleaned_data.get("led_by", self.led_by)

    def line(self) -> Line:
        """The date as it will be."""
        changes = {"starts_at": self._moved_to(), "minutes": self.cleaned_data["minutes"]}
        wished = {name: value for name, value in changes.items() if value is not None}
        return Line.of_session(Fate.BY_HAND, self.session, changes=wished)

    def wishes(self) -> dict[str, Any]:
        """The arguments of `planning.move`."""
        said = {name: self.cleaned_data[name] for name in ("reason", "seen")}
        return {"starts_at": self._moved_to(), **self._rest(), **said}

    def _moved_to(self) -> datetime | None:
        moved = {"on", "starts_at"} & set(self.changed_data)
        return self._starts_at() if moved else None


class NewDateForm(DateForm):
    """A meeting beside the rhythm; one in the past is asked about first."""

    past_known = forms.BooleanField(label=_("I know that this date has passed"), required=False)

    def __init__(self, data: Any = None, *, offered: Plan, setting: str, at: datetime) -> None:
        cadence = offered.cadence
        initial = {
            "starts_at": cadence.starts_at,
            "minutes": cadence.minutes,
            "place": offered.place,
            "setting": setting,
        }
        super().__init__(data, zone=cadence.zone, initial=initial)
        self.at = at

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and self._starts_at() <= self.at and not data["past_known"]:
            self.add_error(
                "past_known", _("Tick this box to put it down, or choose a date that lies ahead.")
            )
        return data

    def line(self) -> Line:
        """The date as it will be."""
        return Line(Fate.NEW, self._starts_at(), self.cleaned_data["minutes"], self.zone)

    def wishes(self) -> dict[str, Any]:
        """The arguments of `planning.add_date`."""
        return {"starts_at": self._starts_at(), "zone": self.zone, **self._rest()}


class CancelForm(ChecksText, SeenForm):
    """Why, if the leader wants to say it."""

    checked = ("reason",)

    reason = forms.CharField(
        label=_("Why"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Stays in the group and is in no mail."),
    )
