"""Fill an empty installation with the demo, as the owner of the tables."""

from datetime import date, datetime, time, timedelta
from itertools import cycle
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from balint.demo.people import CIRCLES, CITY, NORTH, PASSWORD, PEOPLE, Circle
from groups import agreements, joining
from groups.cadence import Cadence, Rule, Unit, instant, next_midnight, next_morning, parse_breaks
from groups.models import (
    Acceptance,
    Agreement,
    AskedAs,
    Ending,
    Entrance,
    Group,
    Leave,
    Membership,
    Preference,
    Programme,
    ProgrammeAdmin,
)
from members.models import Member, Phone
from sessions import planning, reminders, words
from sessions.models import (
    Answer,
    Attendance,
    CasePresence,
    CasePresentation,
    LeadersNote,
    Reflection,
    Session,
)
from sessions.phases import Phase

YEAR = timedelta(days=365)
MINUTE = timedelta(minutes=1)

People = dict[str, Member]


def fill(at: datetime) -> None:
    """Everything, at once; the caller holds the transaction and the owner's role."""
    people = _people()
    programmes = {name: Programme.objects.create(name=name) for name in (NORTH, CITY)}
    for programme in programmes.values():
        ProgrammeAdmin.objects.create(
            programme=programme, member=people["admin"], starts_at=at - 2 * YEAR
        )
    groups = {
        circle.name: _group(circle, programmes[circle.programme], people, at) for circle in CIRCLES
    }
    for circle in CIRCLES:
        _years(circle, groups[circle.name], people, at)
    _valley(groups["Valley group"], people, at)
    _tomorrow(groups["Harbour group"], people, at)


def _people() -> People:
    # One hash for all: the password is printed anyway, and a hash each would take half a minute.
    password = make_password(PASSWORD)
    people = {
        person.key: Member(
            email=person.email,
            name=person.name,
            profession=person.profession,
            time_zone=person.zone,
            password=password,
        )
        for person in PEOPLE
    }
    Member.objects.bulk_create(people.values())
    EmailAddress.objects.bulk_create(
        EmailAddress(user=member, email=member.email, verified=True, primary=True)
        for member in people.values()
    )
    Phone.objects.bulk_create(
        Phone(member=people[person.key], number=person.phone) for person in PEOPLE if person.phone
    )
    return people


def _group(circle: Circle, programme: Programme, people: People, at: datetime) -> Group:
    since = at - 2 * YEAR
    group = Group.objects.create(
        programme=programme,
        name=circle.name,
        alias=circle.alias,
        setting=circle.setting,
        place=circle.place,
        time_zone=circle.zone,
        contact=circle.contact,
        evening=circle.evening,
        keeps_time=circle.keeps_time,
    )
    Entrance.objects.create(group=group, join_link=circle.link, door=circle.door)
    agreement = agreements.begin(group, by=people[circle.leaders[0]], at=since)
    for number, key in enumerate(_seated(circle)):
        role = "leader" if key in circle.leaders else "member"
        starts_at = since + number * MINUTE
        Membership.objects.create(group=group, member=people[key], role=role, starts_at=starts_at)
        _agree(agreement, people[key], starts_at)
    for key in circle.newcomers:
        Membership.objects.create(
            group=group, member=people[key], role="member", starts_at=at - timedelta(days=2)
        )
    return group


def _seated(circle: Circle) -> list[str]:
    """The order of the chairs, which is that of joining: two leaders sit across from each other."""
    half = len(circle.members) // 2 + 1
    first, second = circle.members[:half], circle.members[half:]
    return [circle.leaders[0], *first, *circle.leaders[1:], *second]


def _agree(agreement: Agreement, member: Member, at: datetime) -> None:
    Acceptance.objects.create(
        agreement=agreement, group_id=agreement.group_id, member=member, accepted_at=at
    )


def _years(circle: Circle, group: Group, people: People, at: datetime) -> None:
    """A year back, held and put down; the rest of this year and the next ahead."""
    leader, today = people[circle.leaders[0]], at.astimezone(group.zone).date()
    rule, begins = Rule.from_code(circle.rule), today - YEAR
    # The second year goes on in the weeks of the first.
    weeks = timedelta(weeks=rule.interval if rule.unit is Unit.WEEK else 1)
    goes_on = begins + weeks * ((today - begins) // weeks + 1)
    for first_on, last_on in (
        (begins, today - timedelta(days=1)),
        (goes_on, date(today.year + 1, 12, 31)),
    ):
        cadence = Cadence(
            rule=rule,
            starts_at=time.fromisoformat(circle.at),
            minutes=circle.minutes,
            zone=circle.zone,
            first_on=first_on,
            last_on=last_on,
            breaks=parse_breaks(circle.breaks, first_on, last_on),
        )
        planning.plan_year(group, cadence, circle.place, by=leader, at=at)
    _hold(circle, group, people, at)


def _hold(circle: Circle, group: Group, people: People, at: datetime) -> None:
    """What past sessions left behind: who was there, and cases not yet forgotten."""
    everyone = [people[key] for key in (*circle.leaders, *circle.members)]
    presenters, absentees = cycle(circle.members), cycle(everyone[len(circle.leaders) :])
    for session in Session.objects.filter(group=group, starts_at__lt=at).order_by("starts_at"):
        absent, presenter = next(absentees), people[next(presenters)]
        if absent == presenter:
            absent = next(absentees)
        _close(session, everyone, absent, people[circle.leaders[0]])
        forget_on = (session.starts_at + timedelta(days=group.keeps_cases_days)).date()
        if forget_on > at.date():
            _case(session, presenter, [m for m in everyone if m != absent], forget_on)


def _close(session: Session, everyone: list[Member], absent: Member, leader: Member) -> None:
    session.phase, session.closed_at = Phase.CLOSED, session.ends_at
    session.put_down_at = session.ends_at + 5 * MINUTE
    session.save()
    Attendance.objects.bulk_create(
        Attendance(
            session=session,
            group_id=session.group_id,
            member=member,
            present=member != absent,
            put_down_by=leader,
            put_down_at=session.put_down_at,
        )
        for member in everyone
    )


TITLES = cycle(["The one who always waits", "", "Two chairs", "The long way round", ""])


def _case(session: Session, presenter: Member, present: list[Member], forget_on: date) -> None:
    case = CasePresentation(
        session=session,
        group_id=session.group_id,
        order=1,
        presenter=presenter,
        forget_on=forget_on,
    )
    case.title = next(TITLES)
    case.save(force_insert=True)
    CasePresence.objects.bulk_create(
        CasePresence(case=case, group_id=session.group_id, member=member) for member in present
    )


def _valley(group: Group, people: People, at: datetime) -> None:
    """What “Before you open the door” tells: one away, one back, a farewell, numbers to ring."""
    first, second = Session.objects.filter(group=group, starts_at__gt=at).order_by("starts_at")[:2]
    away = Answer(
        session=first,
        group=group,
        member=people["owen"],
        on=first.starts_at.astimezone(group.zone).date(),
        answered_at=at,
    )
    away.reason = "On call that night."
    away.save(force_insert=True)
    reminders.stop_for(first, people["owen"], at=at)
    back = Leave(
        group=group,
        member=people["hanna"],
        starts_at=at - timedelta(days=100),
        ended_at=at - timedelta(days=8),
    )
    back.reason = "A small child at home."
    back.save(force_insert=True)
    _written(Session.objects.filter(group=group, starts_at__lt=at).latest("starts_at"), people)
    _farewell(group, people["joan"], second, at)
    for key in ("member", "samuel", "priya"):
        Preference.objects.create(group=group, member=people[key], shares_phone=True)
    joining.propose(
        group,
        address="new.colleague@demo.example",
        name="Dr Lea Stern",
        role="member",
        by=people["admin"],
        at=at - timedelta(days=5),
    )


def _written(last: Session, people: People) -> None:
    """What stays of an evening: the leaders' word to themselves, and a reflection of one's own."""
    at = last.ends_at + 30 * MINUTE
    word = LeadersNote(
        session=last,
        group_id=last.group_id,
        author=people["leader"],
        shared=True,
        written_at=at,
        forget_on=at.astimezone(last.zone).date() + words.KEPT,
    )
    word.text = "We came back to the doctor late. Next time: hold the silence a little longer."
    word.save(force_insert=True)
    mine = Reflection(session=last, member=people["member"], written_at=at, changed_at=at)
    mine.text = (
        "I was impatient with her, and only noticed on the way home whose impatience it was."
    )
    mine.save(force_insert=True)


def _farewell(group: Group, member: Member, last: Session, at: datetime) -> None:
    membership = Membership.objects.get(group=group, member=member)
    ends_at = next_midnight(last.starts_at.astimezone(group.zone).date(), group.time_zone)
    Ending.objects.create(
        group=group,
        membership=membership,
        asked_by=member,
        asked_as=AskedAs.PERSON,
        asked_at=at - timedelta(days=20),
        ends_at=ends_at,
        confirmed_at=at - timedelta(days=20),
    )
    membership.ended_at = ends_at
    membership.save()
    reminders.sync_person(group, member, at=at)


# Somewhere it is day: nobody is woken by the demo's first reminder.
DAYTIME_ZONES = ("Europe/London", "America/New_York", "Asia/Singapore", "Pacific/Auckland")


def _tomorrow(group: Group, people: People, at: datetime) -> None:
    """An extra date whose day-before reminder falls due a minute from now, for one person."""
    guest = people["outsider"]
    for membership in Membership.objects.filter(group=group).exclude(member=guest):
        Preference.objects.create(group=group, member=membership.member, reminders=False)
    guest.time_zone = next(
        zone for zone in DAYTIME_ZONES if 8 <= at.astimezone(ZoneInfo(zone)).hour < 21
    )
    guest.save()
    due = (at + MINUTE).replace(second=0, microsecond=0)
    due = due if due - at >= MINUTE / 2 else due + MINUTE
    local = due.astimezone(group.zone)
    starts_at = instant(local.date() + timedelta(days=1), local.time(), group.time_zone)
    session = Session.objects.create(
        group=group,
        starts_at=starts_at,
        minutes=90,
        time_zone=group.time_zone,
        place=group.place,
        setting=group.setting,
        settled_at=at,
        phase=Phase.PLANNED,
        runs_until=next_morning(starts_at + 90 * MINUTE, group.time_zone),
        updated_at=at,
    )
    reminders.sync(session, at=at)
