"""Row-level security alone, against rows put in, moved, and said to be of another group."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from groups.models import Entrance, Leave, LeavingReason, Membership
from members.models import Phone
from sessions.models import (
    Answer,
    Attendance,
    CaseCount,
    CasePresence,
    CasePresentation,
    Change,
    DatesReply,
    LeadersNote,
    NoticeSeen,
    Observer,
    Reflection,
    RoomPresence,
    Session,
    ShownOut,
    Step,
    SteppedOut,
)
from tests.balint.attacks import (
    CIRCLE_TONIGHT,
    EVERYBODY,
    LEADERS,
    InsufficientPrivilege,
    refusals,
)
from tests.world import as_member, as_owner, years_ago


def person_row(inside, session, who, **more):
    return {"id": uuid4(), "group": inside.circle.group, "session": session, "member": who} | more


def ahead(inside):
    """A session of the group that has not begun."""
    starts_at = NOW + timedelta(days=7)
    with as_owner():
        return Session.objects.create(
            group=inside.circle.group,
            starts_at=starts_at,
            minutes=90,
            time_zone="UTC",
            phase="planned",
            settled_at=NOW,
            runs_until=starts_at + timedelta(hours=12),
            updated_at=NOW,
        )


def reply(inside, who):
    series = inside.rows["reply"].series
    return DatesReply(
        id=uuid4(), series=series, group=inside.circle.group, member=who, replied_at=NOW
    )


def reflection(session, who):
    return Reflection(id=uuid4(), session=session, member=who, written_at=NOW, changed_at=NOW)


def word(session, who, days=90):
    return LeadersNote(
        id=uuid4(),
        session=session,
        group_id=session.group_id,
        author=who,
        written_at=NOW,
        forget_on=NOW.date() + timedelta(days=days),
    )


NOW = timezone.now()
INSERTS = {
    "own leave": lambda i, me: Leave(group=i.circle.group, member=me, starts_at=NOW),
    "another's leave": lambda i, me: Leave(group=i.circle.group, member=i.absent, starts_at=NOW),
    "own answer": lambda i, me: Answer(**person_row(i, i.past, me, on=NOW.date(), answered_at=NOW)),
    "another's answer": lambda i, me: Answer(
        **person_row(i, i.tonight, i.member, on=NOW.date(), answered_at=NOW)
    ),
    "own reply": lambda i, me: reply(i, me),
    "another's reply": lambda i, me: reply(i, i.presenter),
    "own seen notice": lambda i, me: NoticeSeen(**person_row(i, i.past, me, seen_at=NOW)),
    "another's seen notice": lambda i, me: NoticeSeen(
        **person_row(i, i.tonight, i.absent, seen_at=NOW)
    ),
    "attendance": lambda i, me: Attendance(
        **person_row(i, i.past, i.absent, present=True, put_down_by=me, put_down_at=NOW)
    ),
    "attendance tonight": lambda i, me: Attendance(
        **person_row(i, i.tonight, i.absent, present=True, put_down_by=me, put_down_at=NOW)
    ),
    "attendance in another's name": lambda i, me: Attendance(
        **person_row(i, i.past, i.absent, present=True, put_down_by=i.superuser, put_down_at=NOW)
    ),
    "attendance of one who came later": lambda i, me: Attendance(
        **person_row(i, i.past, i.latecomer, present=True, put_down_by=me, put_down_at=NOW)
    ),
    "change": lambda i, me: Change(
        session=i.past, group=i.circle.group, kind="moved", by=me, at=NOW
    ),
    "change in another's name": lambda i, me: Change(
        session=i.past, group=i.circle.group, kind="moved", by=i.superuser, at=NOW
    ),
    "case": lambda i, me: CasePresentation(
        session=i.past,
        group=i.circle.group,
        order=9,
        presenter=me or i.member,
        forget_on=NOW.date() + timedelta(days=9),
    ),
    "own presence": lambda i, me: CasePresence(
        case=i.rows["case_of_former"], group=i.circle.group, member=me or i.member
    ),
    "another's presence": lambda i, me: CasePresence(
        case=i.rows["case"], group=i.circle.group, member=i.absent
    ),
    "presence of one who came later": lambda i, me: CasePresence(
        case=i.rows["case"], group=i.circle.group, member=i.latecomer
    ),
    "presence of an outsider": lambda i, me: CasePresence(
        case=i.rows["case"], group=i.circle.group, member=i.outsider
    ),
    "count": lambda i, me: CaseCount(group=i.circle.group, year=2031, cases=1),
    "step": lambda i, me: Step(
        session=i.tonight,
        group=i.circle.group,
        number=9,
        phase="call",
        came_from="call",
        by=me,
        at=NOW,
    ),
    "own room presence": lambda i, me: RoomPresence(
        **person_row(i, i.tonight, me, entered_at=NOW, seen_at=NOW)
    ),
    "another's room presence": lambda i, me: RoomPresence(
        **person_row(i, i.tonight, i.absent, entered_at=NOW, seen_at=NOW)
    ),
    "own stepping out": lambda i, me: SteppedOut(**person_row(i, i.tonight, me, telling=2)),
    "another's stepping out": lambda i, me: SteppedOut(
        **person_row(i, i.tonight, i.member, telling=2)
    ),
    "own showing out": lambda i, me: ShownOut(**person_row(i, i.tonight, me, leader=i.leader)),
    "another's showing out": lambda i, me: ShownOut(
        **person_row(i, i.tonight, i.member, leader=me, in_force=True)
    ),
    "own observing": lambda i, me: Observer(**person_row(i, i.tonight, me)),
    "another's observing": lambda i, me: Observer(**person_row(i, i.tonight, i.member)),
    "observing of an outsider": lambda i, me: Observer(**person_row(i, i.tonight, i.outsider)),
    "own phone": lambda i, me: Phone(member=me, number="1"),
    "another's phone": lambda i, me: Phone(member=i.outsider, number="1"),
    "own reflection": lambda i, me: reflection(i.past, me),
    "own reflection tonight": lambda i, me: reflection(i.tonight, me),
    "another's reflection": lambda i, me: reflection(i.past, i.absent),
    "reflection on what lies ahead": lambda i, me: reflection(ahead(i), me),
    "reflection on nothing": lambda i, me: reflection(None, me),
    "own word": lambda i, me: word(i.past, me),
    "own word tonight": lambda i, me: word(i.tonight, me),
    "another's word": lambda i, me: word(i.past, i.leader),
    "word on what lies ahead": lambda i, me: word(ahead(i), me),
    "word kept for years": lambda i, me: word(i.past, me, days=400),
    "entrance": lambda i, me: Entrance(group=i.circle.other_group, door="1"),
    "reason in another's ending": lambda i, me: LeavingReason(
        group=i.circle.group,
        member=me or i.member,
        ending=i.rows["own_reason"].ending,
        forget_on=NOW.date(),
    ),
}
INSIDE_NOW = {*LEADERS.split(), "presenter", "member", "absent", "latecomer"}
BELONGS = INSIDE_NOW | {"newcomer", "on_leave"}
PEOPLE = set(EVERYBODY) - {"nobody"}
MAY_PUT_IN = {
    "own leave": BELONGS,
    "another's leave": {*LEADERS.split(), "absent"},
    "own answer": INSIDE_NOW,
    "another's answer": {"member"},
    "own reply": INSIDE_NOW,
    "another's reply": {"presenter"},
    "own seen notice": INSIDE_NOW,
    "another's seen notice": {"absent"},
    "attendance": {"leader", "second_leader"},
    "attendance tonight": {"leader", "second_leader", "new_leader"},
    "attendance in another's name": set(),
    "attendance of one who came later": set(),
    "change": set(LEADERS.split()),
    "change in another's name": set(),
    "case": set(),
    # Present for it already: a second row of one's own breaks a constraint, not a policy.
    "own presence": {"leader"},
    "another's presence": {"leader"},
    "presence of one who came later": set(),
    "presence of an outsider": set(),
    "count": set(),
    "step": set(LEADERS.split()),
    "own room presence": set(CIRCLE_TONIGHT.split()),
    "another's room presence": {"absent"},
    "own reflection": INSIDE_NOW,
    "own reflection tonight": INSIDE_NOW | {"just_left"},
    "another's reflection": {"absent"},
    "reflection on what lies ahead": set(),
    "reflection on nothing": set(),
    "own word": {"leader", "second_leader"},
    "own word tonight": {"leader", "second_leader", "new_leader"},
    "another's word": {"leader"},
    "word on what lies ahead": set(),
    "word kept for years": set(),
    # By functions alone.
    "own showing out": set(),
    "another's showing out": set(),
    "own stepping out": set(),
    "another's stepping out": set(),
    # Who leads does not observe.
    "own observing": set(),
    "another's observing": {"leader", "second_leader", "new_leader"},
    "observing of an outsider": set(),
    "own phone": PEOPLE,
    "another's phone": {"outsider"},
    "entrance": {"leader_elsewhere"},
    "reason in another's ending": {"on_leave"},
}


def puts_in(who, row):
    try:
        with refusals(), as_member(who), transaction.atomic():
            type(row).objects.bulk_create([row])
            transaction.set_rollback(True)
    except IntegrityError:
        # Past the policy, stopped by “only once”: a row like it stands there already.
        return who is not None
    except InsufficientPrivilege:
        return False
    return True


@pytest.mark.parametrize("what", INSERTS)
def test_each_kind_of_row_is_put_in_by_those_in_the_table_and_nobody_else(inside, what):
    put_in = {
        who
        for who in EVERYBODY
        if puts_in(inside.people[who], INSERTS[what](inside, inside.people[who]))
    }
    assert put_in == MAY_PUT_IN[what]


# Moving.


def moved(row, **fields):
    type(row).objects.filter(pk=row.pk).update(**fields)


@pytest.mark.parametrize(
    ("who", "name", "fields"),
    [
        ("leader", "entrance", {"group": "other_group"}),
        ("leader", "leave", {"member": "absent"}),
        ("on_leave", "leave", {"group": "other_group"}),
        ("leader", "leaders_reason", {"member": "presenter"}),
        ("member", "phone", {"member": "absent"}),
        ("absent", "answer", {"session": "tonight"}),
        ("absent", "answer", {"member": "member"}),
        ("leader", "attendance", {"member": "absent"}),
        ("leader", "attendance", {"session": "tonight"}),
        ("leader", "case", {"session": "tonight"}),
        ("presenter", "case", {"group": "other_group"}),
        ("member", "room", {"member": "absent"}),
        ("member", "reflection_member", {"member": "absent"}),
        ("member", "reflection_member", {"session": "tonight"}),
        ("leader", "word_own", {"author": "second_leader"}),
        ("leader", "word_own", {"session": "tonight"}),
    ],
    ids=lambda given: given if isinstance(given, str) else "-".join(given),
)
def test_a_row_stays_with_its_group_its_session_and_its_person(inside, who, name, fields):
    places = {"other_group": inside.circle.other_group, "tonight": inside.tonight} | inside.people
    change = {field: places[place] for field, place in fields.items()}
    with pytest.raises(ProgrammingError, match="row-level security"), as_member(inside.people[who]):
        moved(inside.rows[name], **change)


@pytest.mark.parametrize(
    "fields", [{"forget_on": "2099-01-01"}, {"being_told": True}, {"order": 7}], ids=str
)
@pytest.mark.parametrize("who", ["leader", "presenter"])
def test_nobody_lengthens_the_memory_of_a_case_or_begins_its_telling_by_hand(inside, who, fields):
    with pytest.raises(ProgrammingError, match="stays as it is"), as_member(inside.people[who]):
        moved(inside.rows["case"], **fields)


def test_a_leader_gives_a_case_to_another_presenter_only_without_its_title(inside):
    case = inside.rows["case"]
    with pytest.raises(ProgrammingError, match="without a title"), as_member(inside.leader):
        moved(case, presenter=inside.member)
    with pytest.raises(ProgrammingError, match="without a title"), as_member(inside.leader):
        moved(case, presenter=inside.latecomer, title_sealed=None)
    with as_member(inside.leader):
        moved(case, presenter=inside.member, title_sealed=None)
    with as_owner():
        case.refresh_from_db()
    assert (case.presenter, case.title) == (inside.member, "")


def test_the_earlier_case_is_named_by_its_presenter_from_the_own_ones(inside):
    case, other = inside.rows["case"], inside.rows["case_of_former"]
    tonight = inside.rows["case_tonight"]
    for who, follows in (("presenter", other), ("leader", tonight)):
        refused = pytest.raises(ProgrammingError, match="presenter's to name")
        with refused, as_member(inside.people[who]):
            moved(case, follow_up=True, follows=follows)
    with as_member(inside.presenter):
        moved(tonight, follow_up=True, follows=case)
    with as_owner():
        assert CasePresentation.objects.get(pk=tonight.pk).follows == case


@pytest.mark.parametrize(
    ("who", "field", "to"),
    [("admin", "role", "leader"), ("member", "role", "leader"), ("leader", "starts_at", None)],
)
def test_a_membership_changes_neither_its_role_nor_its_beginning(inside, who, field, to):
    to = to or years_ago(5)
    with pytest.raises(ProgrammingError, match="stays as it is"), as_member(inside.people[who]):
        Membership.objects.filter(member=inside.member).update(**{field: to})


# Forging the group of a row: it must be the group of what the row hangs on.


def forged_rows(i):
    wrong, me = i.leader_elsewhere, {"group": i.circle.other_group}
    return {
        "attendance_in_its_sessions_group": Attendance(
            session=i.past, member=i.absent, present=True, put_down_at=NOW, **me
        ),
        "answer_in_its_sessions_group": Answer(
            session=i.past, member=wrong, on=NOW.date(), answered_at=NOW, **me
        ),
        "reply_in_its_series_group": DatesReply(
            series=i.rows["reply"].series, member=wrong, replied_at=NOW, **me
        ),
        "balint_sessions_noticeseen_in_its_sessions_group": NoticeSeen(
            session=i.past, member=wrong, seen_at=NOW, **me
        ),
        "change_in_its_sessions_group": Change(session=i.past, kind="moved", at=NOW, **me),
        "step_in_its_sessions_group": Step(
            session=i.past, number=5, phase="call", came_from="call", at=NOW, **me
        ),
        "roompresence_in_its_sessions_group": RoomPresence(
            session=i.past, member=wrong, entered_at=NOW, seen_at=NOW, **me
        ),
        "balint_sessions_observer_in_its_sessions_group": Observer(
            session=i.past, member=wrong, **me
        ),
        "balint_sessions_steppedout_in_its_sessions_group": SteppedOut(
            session=i.past, member=wrong, telling=1, **me
        ),
        "balint_sessions_shownout_in_its_sessions_group": ShownOut(
            session=i.past, member=wrong, leader=wrong, **me
        ),
        "word_in_its_sessions_group": LeadersNote(
            session=i.past, author=wrong, written_at=NOW, forget_on=NOW.date(), **me
        ),
        "presence_in_its_cases_group": CasePresence(case=i.rows["case"], member=wrong, **me),
        "reason_in_its_endings_group": LeavingReason(
            member=wrong, ending=i.rows["own_reason"].ending, forget_on=NOW.date(), **me
        ),
    }


def test_no_row_says_it_is_of_another_group_than_what_it_hangs_on(inside):
    with as_owner():
        LeavingReason.objects.filter(pk=inside.rows["own_reason"].pk).delete()
        for name, row in forged_rows(inside).items():
            with pytest.raises(IntegrityError, match=name), transaction.atomic():
                row.save(force_insert=True)
