"""What comes in from the room, from “Afterwards, one minute” and from a case's page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from members.checked import ChecksText
from members.models import Member
from sessions import afterwards, before, conduct
from sessions import cases as told
from sessions.afterwards import CaseEntry
from sessions.firstpage import names_in_words
from sessions.forms.writing import word_form
from sessions.models import CasePresentation, Session
from sessions.phases import Phase
from sessions.words import Word

Person = tuple[str, str]
USUAL_CASES, MOST_CASES = 2, 6


class SeenForm(forms.Form):
    """Every tap says which state of the session it saw."""

    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class StepForm(SeenForm):
    """A step forward or back; `presenter` who tells, if a leader named somebody."""

    to = forms.ChoiceField(choices=[(phase.value, phase.value) for phase in Phase])
    presenter = forms.UUIDField(required=False)

    def clean_to(self) -> Phase:
        return Phase(self.cleaned_data["to"])


class PresenterForm(SeenForm):
    """Who tells the case; nobody, if that person has left."""

    presenter = forms.UUIDField(required=False)


class ObserversForm(SeenForm):
    """Who sits outside the circle this time."""

    outside = forms.MultipleChoiceField(
        label=_("Outside the circle"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, names: Mapping[UUID, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["outside"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - for the type checker
        field.choices = [(str(pk), name) for pk, name in names.items()]

    def wishes(self) -> dict[str, Any]:
        """The arguments of `observers.choose`."""
        people = [UUID(pk) for pk in self.cleaned_data["outside"]]
        return {"people": people, "seen": self.cleaned_data["seen"]}


class MemberForm(SeenForm):
    """Somebody whom a leader names."""

    person = forms.UUIDField()


class PersonForm(SeenForm):
    """Who steps out of the case or is let back in; oneself unless a leader names somebody."""

    person = forms.UUIDField(required=False)

    def __init__(self, *args: Any, own: UUID, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own = own

    def clean_person(self) -> UUID:
        return self.cleaned_data["person"] or self.own


class ThereForm(SeenForm):
    """Who was there: ticked on the circle, which the page draws itself."""

    there = forms.TypedMultipleChoiceField(coerce=UUID, required=False)

    def __init__(self, *args: Any, people: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["there"].choices = people  # type: ignore[attr-defined]


class CaseForm(forms.Form):
    """One case as leaders put it down: told by whom, new or a follow-up, who was out for it."""

    case = forms.UUIDField(required=False, widget=forms.HiddenInput)
    presenter = forms.TypedChoiceField(
        label=_("A case, told by"), coerce=UUID, empty_value=None, required=False
    )
    follow_up = forms.ChoiceField(
        label=_("It was"),
        choices=[("", _("new")), ("yes", _("a follow-up"))],
        required=False,
    )
    out = forms.TypedMultipleChoiceField(
        label=_("Not there for this case"),
        coerce=UUID,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, people: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people
        self.fields["presenter"].choices = [("", _("nobody")), *people]  # type: ignore[attr-defined]
        self.fields["out"].choices = people  # type: ignore[attr-defined]

    @property
    def out_names(self) -> str:
        """“Priya and Owen”: who is shown as out for this case."""
        chosen = {str(pk) for pk in self["out"].value() or ()}
        return names_in_words([name for pk, name in self.people if pk in chosen])

    def entry(self, there: set[UUID]) -> CaseEntry | None:
        """The case, with everyone who was there present for it but those taken out; or none."""
        told_by = self.cleaned_data["presenter"]
        if told_by is None:
            return None
        present = (there - set(self.cleaned_data["out"])) | {told_by}
        return CaseEntry(
            presenter=told_by,
            present=frozenset(present),
            follow_up=self.cleaned_data["follow_up"] == "yes",
            case=self.cleaned_data["case"],
        )


class AfterwardsForms:
    """The one page of an evening: who was there, and a block for each case, two at least.

    What stands already is filled in, as far as the leader may see it; a block left with nobody is
    no case.
    """

    def __init__(
        self, data: QueryDict | None, *, session: Session, member: Member, at: datetime
    ) -> None:
        self.session, self.seats = session, conduct.seats(session)
        known = before.known_as(self.seats)
        self.people = [(str(pk), name) for pk, name in known.items()]
        self.stated = afterwards.there(session, member, at)
        self.there_form = ThereForm(data, people=self.people)
        self.stand = told.of_session(session, member, at)
        blocks = afterwards.still_kept(session, at) * self._blocks(data)
        self.cases = [self._case(data, place) for place in range(blocks)]
        self.word_form = word_form(data, session=session, member=member, at=at)

    def _blocks(self, data: QueryDict | None) -> int:
        posted = sum(f"case{n}-presenter" in (data or {}) for n in range(MOST_CASES))
        return max(USUAL_CASES, len(self.stand), posted)

    def _case(self, data: QueryDict | None, place: int) -> CaseForm:
        initial = self._state_of(self.stand[place]) if place < len(self.stand) else {}
        return CaseForm(data, prefix=f"case{place}", people=self.people, initial=initial)

    def _state_of(self, case: CasePresentation) -> dict[str, Any]:
        out = self.stated - told.present_for(case)
        return {
            "case": case.pk,
            "presenter": str(case.presenter_id),
            "follow_up": "yes" if case.follow_up else "",
            "out": [str(pk) for pk in out],
        }

    def is_valid(self) -> bool:
        typed = [self.there_form, *self.cases, *[self.word_form] * self.word_form.is_bound]
        wrong = [form for form in typed if not form.is_valid()]
        return not wrong

    @property
    def there(self) -> set[UUID]:
        """Who is ticked: as typed, else as it stands."""
        if self.there_form.is_bound and self.there_form.is_valid():
            return set(self.there_form.cleaned_data["there"])
        return self.stated

    @property
    def entries(self) -> list[CaseEntry]:
        """The cases typed, for the domain."""
        typed = [form.entry(self.there) for form in self.cases]
        return [entry for entry in typed if entry is not None]

    @property
    def word(self) -> Word | None:
        """The word typed; none where the page that was posted did not ask for one."""
        return self.word_form.word if self.word_form.is_bound else None


class TitleForm(ChecksText, forms.Form):
    """The presenter's own: a title, and which earlier case a follow-up follows."""

    checked = ("title",)

    title = forms.CharField(
        label=_("A title"),
        required=False,
        max_length=told.LONGEST_TITLE,
        help_text=_("Would a neighbour recognise someone? No job, place, illness or origin."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    follows = forms.ChoiceField(label=_("It follows"), required=False)

    def __init__(self, *args: Any, earlier: Sequence[Person] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if earlier is None:
            del self.fields["follows"]
        else:
            choices = [("", _("not said")), *earlier]
            self.fields["follows"].choices = choices  # type: ignore[attr-defined]
