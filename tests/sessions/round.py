"""A monthly group for the tests of letters: two leaders, nine members, one away, one opted out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from django.core import mail
from django.db.models import F
from django.utils import timezone

from groups.models import Group, Leave, Preference, ProgrammeAdmin
from members.letters import engine, outbox
from members.models import Letter, Member
from sessions import reminders
from sessions.models import Change, Series, Session
from tests.sessions.meetings import make_session
from tests.world import as_member, as_owner, join, make_group, make_member, utc

LONG_AGO = utc(2020, 1, 1)
AT = utc(2027, 1, 4, 9)
START = utc(2027, 2, 18, 19, 30)
BOTH = ("reminder-1", "reminder-7")


@dataclass
class Round:
    group: Group
    leader: Member
    second_leader: Member
    members: list[Member]
    on_leave: Member
    opted_out: Member

    @property
    def reminded(self) -> list[Member]:
        """Two leaders and seven members."""
        silent = {self.on_leave.pk, self.opted_out.pk}
        inside = [self.leader, self.second_leader, *self.members]
        return [member for member in inside if member.pk not in silent]


def make_round(**fields: Any) -> Round:
    """All agreed; everybody keeps London's time, as does the group."""
    values = {"name": "Marrow and Salt", "alias": "Valley", "time_zone": "Europe/London"} | fields
    group = make_group(**values)
    names = ["Ruth Marks", "Erik Krantz", *(f"{name} Dale" for name in NAMES)]
    people = [make_member(f"Dr {name}", time_zone="Europe/London") for name in names]
    for person in people:
        role = "leader" if person in people[:2] else "member"
        join(group, person, role, since=LONG_AGO)
    with as_owner():
        Leave.objects.create(group=group, member=people[-1], starts_at=LONG_AGO)
        Preference.objects.create(group=group, member=people[-2], reminders=False)
    return Round(group, people[0], people[1], people[2:], people[-1], people[-2])


NAMES = ("Amit", "Bela", "Cleo", "Dana", "Ezra", "Fern", "Gwen", "Hugo", "Iris")


def make_series(group: Group, rule: str = "month:1:3:3") -> Series:
    with as_owner():
        return Series.objects.create(
            group=group,
            rule=rule,
            starts_at=time(19, 30),
            minutes=90,
            time_zone=group.time_zone,
            first_on=date(2027, 1, 1),
            last_on=date(2027, 12, 31),
            planned_at=LONG_AGO,
            settled_at=LONG_AGO,
        )


def sync(session: Session, at: datetime = AT, by: Member | None = None) -> None:
    with as_member(by) if by else as_owner():
        reminders.sync(session, at=at)


def alone(
    zone: str = "Europe/London", person_zone: str | None = None, **fields: Any
) -> tuple[Group, Member]:
    """A group of one, whose clock is easy to follow."""
    group = make_group(time_zone=zone, **fields)
    member = make_member(time_zone=person_zone or zone)
    join(group, member, since=LONG_AGO)
    return group, member


def make_admin(group: Group) -> Member:
    """Someone who looks after the group's programme."""
    admin = make_member()
    with as_owner():
        ProgrammeAdmin.objects.create(programme=group.programme, member=admin, starts_at=LONG_AGO)
    return admin


def change_session(session: Session, kind: str, at: datetime, **fields: Any) -> None:
    """What planning does: the row, its sequence and the change, then the letters."""
    with as_owner():
        for name, value in (fields | {"updated_at": at}).items():
            setattr(session, name, value)
        session.sequence += 1
        session.save()
        Change.objects.create(session=session, group=session.group, kind=kind, at=at)
        reminders.sync(session, at=at)


def meeting(group: Group, starts_at: datetime, rule: str = "month:1:3:3", **fields: Any) -> Session:
    """A settled session of a series."""
    return make_session(group, starts_at, series=make_series(group, rule), **fields)


def planned(session: Session, *, state: str = "pending", kind: str = "") -> dict[str, Any]:
    """Letters about the session in a state: kind to the e-mails they are for."""
    with as_owner():
        letters = Letter.objects.filter(about_id=session.pk, state=state)
        if kind:
            letters = letters.filter(kind=kind)
        found: dict[str, Any] = {}
        for letter in letters.select_related("recipient").order_by("kind", "recipient__email"):
            assert letter.recipient is not None
            found.setdefault(letter.kind, []).append(letter.recipient.email)
        return found


def moments(session: Session, member: Member) -> dict[str, datetime]:
    """When the person's waiting letters about the session may go, by kind."""
    with as_owner():
        letters = Letter.objects.filter(about_id=session.pk, recipient=member, state="pending")
        return {letter.kind: letter.send_after for letter in letters}


def each(kinds: Iterable[str], who: list[str]) -> dict[str, list[str]]:
    """The same people for each kind."""
    return dict.fromkeys(kinds, who)


def local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone))  # type: ignore[misc,arg-type]


def emails(members: list[Member]) -> list[str]:
    return sorted(member.email for member in members)


def send() -> list[EmailMessage]:
    """What goes out now, as a mail program reads it."""
    mail.outbox.clear()
    with as_owner():
        engine.dispatch()
    parsed = [
        message_from_bytes(sent.message().as_bytes(), policy=policy.default) for sent in mail.outbox
    ]
    return [message for message in parsed if isinstance(message, EmailMessage)]


def mail_about(session: Session, kind: str, member: Member) -> EmailMessage:
    """The mail of that kind about the session to the person, planned by hand and sent now."""
    letter = outbox.letter(
        kind,
        about=session.pk,
        version=session.sequence,
        group_id=session.group_id,
        recipient=member,
        send_after=timezone.now() - timedelta(minutes=1),
        send_before=session.starts_at,
    )
    with as_owner():
        outbox.plan([letter])
    (mail,) = send()
    assert mail["Message-ID"] == letter.message_id
    return mail


def recipients(mails: list[EmailMessage]) -> list[str]:
    return sorted(str(message["To"]) for message in mails)


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def let_days_pass(days: float) -> None:
    """The same as waiting: everything that has a time is so much nearer."""
    past = timedelta(days=days)
    with as_owner():
        Session.objects.update(
            starts_at=F("starts_at") - past,
            runs_until=F("runs_until") - past,
            settled_at=F("settled_at") - past,
            updated_at=F("updated_at") - past,
        )
        Letter.objects.update(
            send_after=F("send_after") - past,
            send_before=F("send_before") - past,
            accepted_at=F("accepted_at") - past,
        )
