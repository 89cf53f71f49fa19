"""“I can't come”: two taps, bound to a day, taken back as easily, and nobody is counted."""

from datetime import date, time, timedelta

import pytest
from django.utils import timezone

from groups.models import Group
from members.models import Letter, LetterState
from sessions import answers, reminders
from sessions.models import Answer, Session
from sessions.phases import Phase
from tests.sessions.meetings import cannot_come, in_days, make_session, on_wall
from tests.world import as_member, as_owner, utc

REASON = "A night on call, and a sick child"


@pytest.fixture
def session(circle) -> Session:
    """A meeting in twelve days: both reminders still lie ahead."""
    return in_days(circle.group, 12)


def say(session, by, at=None, **more) -> Answer:
    with as_member(by):
        return answers.cannot_come(session, by=by, at=at or timezone.now(), **more)


def take_back(session, by, at=None) -> None:
    with as_member(by):
        answers.can_come(session, by=by, at=at or timezone.now())


def rows() -> list[Answer]:
    with as_owner():
        return list(Answer.objects.select_related("member"))


def waiting(session, member) -> int:
    with as_owner():
        letters = Letter.objects.filter(about_id=session.pk, recipient=member)
        return letters.filter(state=LetterState.PENDING).count()


# The domain


def test_an_answer_holds_person_day_and_reason(circle, session):
    say(session, circle.member, reason=f"  {REASON} ")
    (answer,) = rows()
    assert (answer.member, answer.session_id, answer.group_id) == (
        circle.member,
        session.pk,
        circle.group.pk,
    )
    assert answer.on == answers.day_of(session)
    assert answer.reason == REASON


def test_a_reason_is_sealed_in_the_database(circle, session):
    say(session, circle.member, reason=REASON)
    (answer,) = rows()
    assert REASON.encode() not in bytes(getattr(answer, Answer.reason.columns[0]))


def test_no_reason_is_needed(circle, session):
    say(session, circle.member)
    assert [answer.reason for answer in rows()] == [""]


def test_answering_twice_keeps_one_answer_with_the_newer_reason(circle, session):
    say(session, circle.member, reason="A cold")
    say(session, circle.member, reason=REASON)
    assert [answer.reason for answer in rows()] == [REASON]


def test_taken_back_nothing_of_it_stays(circle, session):
    say(session, circle.member, reason=REASON)
    take_back(session, circle.member)
    assert rows() == []


def test_taking_back_what_was_never_said_changes_nothing(circle, session):
    take_back(session, circle.member)
    assert rows() == []


def test_the_persons_reminders_stop_with_it_and_come_back_with_it(circle, session):
    with as_owner():
        reminders.sync(session, at=timezone.now())
    planned = waiting(session, circle.member), waiting(session, circle.absent)
    assert planned == (2, 2)
    say(session, circle.member)
    assert (waiting(session, circle.member), waiting(session, circle.absent)) == (0, 2)
    take_back(session, circle.member)
    assert (waiting(session, circle.member), waiting(session, circle.absent)) == planned


def test_a_leader_may_be_unable_to_come_as_well(circle, session):
    say(session, circle.leader)
    assert [answer.member for answer in rows()] == [circle.leader]


@pytest.mark.parametrize(
    "persona", ["newcomer", "on_leave", "former", "admin", "outsider", "superuser"]
)
def test_only_who_is_expected_can_answer(circle, session, persona):
    with pytest.raises(answers.NotExpected):
        say(session, getattr(circle, persona))
    assert rows() == []


@pytest.mark.parametrize("verb", [say, take_back])
@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"phase": Phase.CANCELLED}, answers.DoesNotTakePlace),
        ({"phase": Phase.STORY}, answers.HasBegun),
        ({"phase": Phase.CLOSED}, answers.HasBegun),
        ({"settled_at": None}, answers.NotExpected),
    ],
)
def test_what_is_cancelled_open_over_or_not_settled_takes_no_answer(circle, verb, fields, refusal):
    session = in_days(circle.group, 12, **fields)
    with pytest.raises(refusal):
        verb(session, circle.member)


def test_after_the_start_it_is_too_late(circle, session):
    just_before = session.starts_at - timedelta(seconds=1)
    say(session, circle.member, at=just_before)
    with pytest.raises(answers.HasBegun) as refused:
        take_back(session, circle.member, at=session.starts_at)
    assert str(refused.value).startswith("The meeting has begun")


# The day


def move(session: Session, starts_at) -> Session:
    with as_owner():
        Session.objects.filter(pk=session.pk).update(starts_at=starts_at)
        return Session.objects.get(pk=session.pk)


def test_an_answer_lapses_when_the_meeting_moves_to_another_day(circle, session):
    say(session, circle.member, reason=REASON)
    moved = move(session, session.starts_at + timedelta(days=1))
    with as_member(circle.member):
        assert answers.own(moved, circle.member) is None
        assert answers.declined([moved], circle.member) == set()
    with as_member(circle.leader):
        assert answers.away(moved) == set()
        assert answers.with_reasons(moved, to=circle.leader, at=timezone.now()) == []


def test_a_change_of_hour_keeps_it(circle, session):
    say(session, circle.member)
    moved = move(session, session.starts_at + timedelta(hours=1))
    with as_member(circle.member):
        assert answers.declined([moved], circle.member) == {moved.pk}
    with as_member(circle.leader):
        assert answers.away(moved) == {circle.member.pk}


def test_the_day_is_that_of_the_groups_own_clock(circle):
    # In New York it is still the 28th when London and UTC have the 29th.
    with as_owner():
        Group.objects.filter(pk=circle.group.pk).update(time_zone="America/New_York")
    session = make_session(circle.group, utc(2027, 4, 29, 1), time_zone="America/New_York")
    assert answers.day_of(session) == date(2027, 4, 28)
    say(session, circle.absent)
    later = move(session, utc(2027, 4, 29, 3, 30))
    with as_member(circle.leader):
        assert answers.away(later) == {circle.absent.pk}


def test_said_again_after_a_move_it_holds_for_the_new_day(circle, session):
    say(session, circle.member)
    moved = move(session, session.starts_at + timedelta(days=1))
    say(moved, circle.member)
    with as_member(circle.leader):
        assert answers.away(moved) == {circle.member.pk}
    assert len(rows()) == 1


# Who knows


@pytest.mark.parametrize(
    ("persona", "knows"),
    {
        "leader": {"member", "absent"},
        "second_leader": {"member", "absent"},
        "member": {"member"},
        "absent": {"absent"},
        "presenter": set(),
        "newcomer": set(),
        "on_leave": set(),
        "former": set(),
        "admin": set(),
        "outsider": set(),
        "superuser": set(),
    }.items(),
)
def test_only_leaders_know_who_cannot_come(circle, session, persona, knows):
    say(session, circle.member, reason=REASON)
    say(session, circle.absent)
    person = getattr(circle, persona)
    with as_member(person):
        told = answers.with_reasons(session, to=person, at=timezone.now())
        assert {answer.member.pk for answer in told} == {getattr(circle, who).pk for who in knows}
        assert answers.away(session) == {getattr(circle, who).pk for who in knows}


@pytest.mark.parametrize(("shows", "known"), [(True, {"member"}), (False, set())])
def test_names_are_shown_to_all_inside_only_where_the_group_wants_it(circle, session, shows, known):
    with as_owner():
        Group.objects.filter(pk=circle.group.pk).update(shows_absences=shows)
    say(session, circle.member, reason=REASON)
    with as_member(circle.presenter):
        assert answers.shown_to_all(session) == {getattr(circle, who).pk for who in known}
    for outside in (circle.on_leave, circle.former, circle.outsider, circle.admin):
        with as_member(outside):
            assert answers.shown_to_all(session) == set()


# The page


def answer_path(session) -> str:
    return f"/sessions/{session.pk}/answer/"


def test_two_taps_say_it_and_one_takes_it_back(circle, session, client_of):
    client = client_of(circle.member)
    first_page = client.get("/").content.decode()
    assert first_page.count("We expect you.") == 1
    assert first_page.count(f'href="{answer_path(session)}"') == 1
    page = client.get(answer_path(session))
    assert (page.status_code, rows()) == (200, [])
    done = client.post(answer_path(session), {"reason": REASON}, follow=True)
    assert done.redirect_chain == [("/", 302)]
    text = done.content.decode()
    assert "We expect you." not in text
    assert REASON not in text
    assert text.count("I can come after all") == 1
    assert [answer.reason for answer in rows()] == [REASON]
    client.post(answer_path(session), {"coming": "yes"})
    assert rows() == []


def test_the_page_offers_the_reason_for_correction(circle, session, client_of):
    cannot_come(session, circle.member, REASON)
    assert REASON in client_of(circle.member).get(answer_path(session)).content.decode()


def test_a_lapsed_reason_is_not_offered_again(circle, session, client_of):
    cannot_come(session, circle.member, REASON)
    move(session, session.starts_at + timedelta(days=1))
    assert REASON not in client_of(circle.member).get(answer_path(session)).content.decode()


def test_too_late_keeps_page_and_typed_text_and_says_why(circle, client_of):
    session = make_session(circle.group, timezone.now() - timedelta(minutes=5))
    answer = client_of(circle.member).post(answer_path(session), {"reason": REASON})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "The meeting has begun" in text
    assert REASON in text
    assert rows() == []


def test_a_cancelled_meeting_says_that_nobody_is_expected(circle, client_of):
    session = in_days(circle.group, 5, phase=Phase.CANCELLED)
    answer = client_of(circle.member).post(answer_path(session), {})
    assert answer.status_code == 409
    assert "This meeting is cancelled." in answer.content.decode()


def test_a_reason_too_long_is_told_so_and_kept(circle, session, client_of):
    answer = client_of(circle.member).post(answer_path(session), {"reason": "x" * 501})
    assert answer.status_code == 200
    assert "x" * 501 in answer.content.decode()
    assert rows() == []


def test_looking_never_answers(circle, session, client_of):
    client = client_of(circle.member)
    for _time in range(2):
        client.get(answer_path(session), {"coming": "yes", "reason": REASON})
        client.head(answer_path(session))
    assert rows() == []


def test_leaders_read_the_reason_on_the_meetings_page_and_members_do_not(
    circle, session, client_of
):
    cannot_come(session, circle.absent, REASON)
    path = f"/sessions/{session.pk}/"
    for persona in ("leader", "second_leader"):
        text = client_of(getattr(circle, persona)).get(path).content.decode()
        assert text.count(REASON) == 1
        assert text.count("Owen") == 1
    for persona in ("presenter", "member", "on_leave", "admin"):
        text = client_of(getattr(circle, persona)).get(path).content.decode()
        assert REASON not in text
        assert "Owen" not in text


def test_where_the_group_shows_it_members_read_the_name_alone(circle, session, client_of):
    with as_owner():
        Group.objects.filter(pk=circle.group.pk).update(shows_absences=True)
    cannot_come(session, circle.absent, REASON)
    text = client_of(circle.member).get(f"/sessions/{session.pk}/").content.decode()
    assert text.count("Owen") == 1
    assert REASON not in text


@pytest.mark.parametrize(
    ("persona", "status"),
    {
        "leader": 200,
        "second_leader": 200,
        "presenter": 200,
        "member": 200,
        "absent": 200,
        "newcomer": 302,
        "on_leave": 404,
        "former": 404,
        "admin": 404,
        "outsider": 404,
        "superuser": 404,
        None: 302,
    }.items(),
)
def test_who_reaches_the_page(circle, session, client_of, persona, status):
    client = client_of(getattr(circle, persona) if persona else None)
    assert client.get(answer_path(session)).status_code == status
    posted = client.post(answer_path(session), {"reason": REASON})
    assert posted.status_code == (302 if status == 200 else status)
    assert len(rows()) == (status == 200)


def test_an_answer_on_the_day_the_clocks_change_holds(circle):
    session = on_wall(circle.group, date(2027, 3, 26), time(19, 30))
    say(session, circle.member)
    with as_member(circle.leader):
        assert answers.away(session) == {circle.member.pk}
