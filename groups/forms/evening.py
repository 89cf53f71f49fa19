"""What comes in about an evening: the group's own, and a programme's templates."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from groups import evenings
from groups.evening_models import EveningTemplate
from groups.models import Group

# The phases on the screen: as `sessions.phases` has them, which a test compares.
PHASE_NAMES: dict[str, Any] = {
    "arriving": _("Arriving"),
    "follow_up": _("Follow-up"),
    "call": _("The call"),
    "story": _("The story"),
    "questions": _("Questions of fact"),
    "group_work": _("The group’s work"),
    "return": _("Coming back in"),
    "closing": _("Closing"),
}


class PhaseMinutes:
    """Eight numbers, one for each phase; for a form."""

    fields: dict[str, forms.Field]
    errors: Any

    def add_minutes(self, shown: dict[str, int]) -> None:
        """The fields, with what is shown in them at first."""
        for phase, label in PHASE_NAMES.items():
            self.fields[f"minutes_{phase}"] = forms.IntegerField(
                label=label, min_value=0, max_value=180, initial=shown[phase]
            )

    @property
    def minute_fields(self) -> list[forms.BoundField]:
        return [self[f"minutes_{phase}"] for phase in PHASE_NAMES]  # type: ignore[index]

    @property
    def minutes_are_wrong(self) -> bool:
        return any(name.startswith("minutes_") for name in self.errors)

    def typed_minutes(self, given: dict[str, Any]) -> dict[str, int]:
        """Takes them out of what was given."""
        return {phase: given.pop(f"minutes_{phase}") for phase in PHASE_NAMES}


class EveningForm(PhaseMinutes, forms.ModelForm):
    """A group's template and what it does otherwise; the leaders' alone.

    Another template brings its switches and minutes along, but for what is changed on the same
    page and for the minutes that were the group's own already.
    """

    evening = forms.ChoiceField(
        label=_("How an evening goes"),
        required=False,
        help_text=_("A template of your society. What you change below is yours."),
    )

    class Meta:
        model = Group
        fields = ("evening", *evenings.SWITCHES, "follow_up_words", "call_words", "talk_minutes")
        labels = {
            "follow_up_words": _("How you ask for a follow-up report"),
            "call_words": _("How you ask for a case"),
            "talk_minutes": _("The leaders’ own talk afterwards, minutes"),
        }
        help_texts = {
            "keeps_time": _("In training groups: every member may then print the card."),
            "has_observers": _("As in a fishbowl. You say who before each meeting."),
            "follow_up_words": _("Empty: “Who has a follow-up report?”"),
            "call_words": _("Empty: “Who has a case?”"),
            "talk_minutes": _("Stands in the leaders’ own calendars alone. 0: it does not."),
        }

    def __init__(self, *args: Any, templates: Sequence[EveningTemplate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.templates = {row.key: row for row in templates}
        self.began_with = _template(self.templates, self.instance.evening)
        self.own = dict(self.instance.minutes)
        field = self.fields["evening"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = list(_choices(templates))
        self.fields["talk_minutes"].widget.attrs.update(min=0, max=120)
        self.add_minutes(evenings.minutes_of(self.began_with, self.own))

    def values(self) -> dict[str, Any]:
        """What `frames.edit_inside` takes."""
        given = dict(self.cleaned_data)
        typed = self.typed_minutes(given)
        template = _template(self.templates, given["evening"])
        if "evening" in self.changed_data and template is not None:
            brought = {name: getattr(template, name) for name in evenings.SWITCHES}
            given |= {n: on for n, on in brought.items() if n not in self.changed_data}
        usual = evenings.minutes_of(template, {})
        own = {phase: number for phase, number in typed.items() if self._is_own(phase)}
        return given | {"minutes": {p: n for p, n in own.items() if n != usual[p]}}

    def _is_own(self, phase: str) -> bool:
        return phase in self.own or f"minutes_{phase}" in self.changed_data


def _choices(templates: Iterable[EveningTemplate]) -> Iterator[tuple[str, Any]]:
    yield "", _("what fits the length of the meeting")
    for row in templates:
        yield row.key, row.label


def _template(templates: dict[str, EveningTemplate], key: str) -> EveningTemplate | None:
    chosen = templates.get(key)
    return chosen or evenings.fitting(templates.values(), evenings.USUAL_LENGTH)


class TemplateForm(PhaseMinutes, forms.ModelForm):
    """A programme's template."""

    class Meta:
        model = EveningTemplate
        fields = ("name", "cases", *evenings.SWITCHES, "sessions", "pause", "offered")
        help_texts = {
            "name": _("May stay empty: then it says its length and cases."),
            "keeps_time": _("In training groups: every member may then print the card."),
            "sessions": _("More than one is an intensive day."),
            "offered": _("Groups that have it keep it, offered or not."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, most in (("cases", 3), ("sessions", 6)):
            self.fields[name].widget.attrs.update(min=1, max=most)
        self.add_minutes(evenings.minutes_of(self.instance, {}))

    def values(self) -> dict[str, Any]:
        """What `evenings.save` takes."""
        given = dict(self.cleaned_data)
        minutes = self.typed_minutes(given)
        return given | {"minutes": minutes}
