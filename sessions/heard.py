"""What letters about a date have reached whom: an entry in a calendar, or nothing yet."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from members.models import Letter, LetterState
from sessions.letters import ADDED, NOTICES, REMINDERS
from sessions.models import Session
from sessions.reminded import Pair, Person

# Whatever was tried may have gone.
LEFT = Q(state=LetterState.SENT) | Q(attempts__gt=0)


def holders(sessions: Iterable[Session], everyone: Iterable[Person]) -> set[Pair]:
    """Whose calendar may have an entry of the date by mail; of two on one day one has it."""
    letters = _about(sessions).filter(LEFT, went_with=None)
    found = set(letters.values_list("about_id", "recipient"))
    takes_entries = {person.member.pk for person in everyone if person.member.calendar_mail}
    return {(about, person) for about, person in found if person in takes_entries}


def nothing_of(sessions: Iterable[Session]) -> set[Pair]:
    """Who does not know of the date at all: word that it is new was taken back before it went."""
    letters = _about(sessions)
    heard = set(letters.filter(LEFT).values_list("about_id", "recipient"))
    return set(letters.filter(kind=ADDED).values_list("about_id", "recipient")) - heard


def _about(sessions: Iterable[Session]) -> QuerySet[Letter]:
    about = [session.pk for session in sessions]
    kinds = NOTICES | set(REMINDERS.values())
    return Letter.objects.filter(about_id__in=about, kind__in=kinds, recipient__isnull=False)
