"""The leaders' page for tonight: what changed, whom it has not reached, and whom one can ring."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from groups.policy import leaders
from members.models import Member
from sessions import before, conduct, notices, standing_in
from sessions.models import Change, EveningLead, Session


@dataclass(frozen=True)
class Person:
    """Somebody one might ring; `number` is empty where they share none."""

    name: str
    number: str


@dataclass(frozen=True)
class Tonight:
    """What the leaders see; `unreached` is None while there is no news to be seen."""

    unreached: Sequence[Person] | None
    phones: Sequence[Person]
    lead: EveningLead | None
    leaders: Sequence[Member]
    substitute_unreached: bool = False

    @property
    def lead_words(self) -> str:
        """Who leads, where it is not as always."""
        return notices.lead_words(self.lead) if self.lead else ""


def of(session: Session, *, to: Member, at: datetime) -> Tonight:
    """The page of the leader `to`; a constant number of queries."""
    names = before.known_as(conduct.seats(session))
    numbers = before.numbers(session, names, to)
    lead = notices.lead_of(session)
    people = {pk: Person(name, numbers.get(pk, "")) for pk, name in names.items()}
    unreached = _unreached(session, lead, to)
    return Tonight(
        unreached=None if unreached is None else [people[pk] for pk in people if pk in unreached],
        phones=[person for person in people.values() if person.number],
        lead=lead,
        leaders=list(leaders(session.group, at)),
        substitute_unreached=lead is not None and standing_in.is_unreached(lead),
    )


def _unreached(session: Session, lead: EveningLead | None, to: Member) -> set[UUID] | None:
    """Who is expected and has not seen the last news; whoever made it knows of it."""
    last = notices.last_at(session)
    if last is None:
        return None
    expected = {seat.member_id for seat in conduct.seats(session)} - before.away(session)
    changes = Change.objects.filter(session=session, at=last)
    made: set[UUID | None] = set(changes.values_list("by", flat=True))
    if lead is not None and lead.at == last:
        made.add(lead.by_id)
    return expected - notices.seen_by(session) - made - {to.pk}
