"""What somebody writes for themselves: a private reflection, a word of the leaders."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from groups.policy import current
from groups.roster import names
from members.checked import ChecksText
from members.models import Member
from sessions import words
from sessions.models import LeadersNote, Session
from sessions.words import Word
from sessions.writing import NothingWritten

PREFIX = "word"


class ReflectionForm(ChecksText, forms.Form):
    """A text for nobody else; how long it may be, the domain says."""

    checked = ("text",)
    text = forms.CharField(
        label=_("For you alone"),
        error_messages={"required": NothingWritten.sentence},
        widget=forms.Textarea(attrs={"rows": 10, "autocomplete": "off"}),
    )


class WordForm(ChecksText, forms.Form):
    """“A word for yourselves”, and whether the other leader may read it; alone, nobody is asked."""

    checked = ("text",)
    text = forms.CharField(
        label=_("A word for yourselves"),
        required=False,
        help_text=_("Closed to everyone else, forgotten after 90 days. No place for a case."),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )
    shared = forms.BooleanField(label=_("Both leaders may read it"), required=False)

    def __init__(
        self,
        *args: Any,
        names: Iterable[str] = (),
        two_lead: bool = True,
        stands: LeadersNote | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, names=names, **kwargs)
        self.stands = stands
        if not two_lead:
            del self.fields["shared"]

    @property
    def word(self) -> Word:
        """What was typed, for the domain."""
        given = self.cleaned_data
        return Word(given["text"], shared=given.get("shared", False), seen=self.seen)

    @property
    def seen(self) -> str | None:
        """The state the page showed; None of a page that shows none."""
        return self.data.get(self.add_prefix("seen"))

    @property
    def state(self) -> str:
        """What stands now, for the next page to say it saw."""
        return words.state_of(self.stands)

    @property
    def outdated(self) -> bool:
        """Whether the page that was posted showed another text than there is."""
        return self.seen is not None and self.seen != self.state


def word_form(
    data: QueryDict | None, *, session: Session, member: Member, at: datetime
) -> WordForm:
    """The form with what `member` noted already; bound only if its field was posted."""
    kept = words.own(session, member, at)
    led = [seat for seat in current(session.group, session.began_at) if seat.leads]
    return WordForm(
        data if data is not None and f"{PREFIX}-text" in data else None,
        prefix=PREFIX,
        names=names(session.group, session.began_at),
        two_lead=len(led) > 1,
        stands=kept,
        initial={"text": kept.text, "shared": kept.shared} if kept else {},
    )
