"""Who leads tonight, where it is not as always: said by the leaders, told before, gone after."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.urls import reverse
from django.utils import timezone

from groups.models import Entrance
from members.letters.kinds import kind_of
from members.models import Letter
from sessions import leading, planning, upkeep
from sessions.models import Answer, EveningLead, Session
from tests.sessions.evening import fresh, make_session, soon
from tests.world import as_member, as_owner, make_member

TOLD = ["absent", "leader", "member", "newcomer", "presenter", "second_leader"]
FOX = {"name": "Dr Lena Fox", "address": "lena.fox@example.org"}


@pytest.fixture
def evening(circle):
    """It begins in two hours."""
    return make_session(circle, begins=120, setting="in_person", place="Clinic, library")


@pytest.fixture
def fox(db):
    """Somebody with an account, of no group."""
    return make_member("Dr Lena Fox", email="lena.fox@example.org")


def known(session):
    return Session.objects.select_related("group", "series").get(pk=session.pk)


def alone(session, by, leader=None, **more):
    with as_member(by):
        at = timezone.now()
        return leading.leads_alone(known(session), leader=(leader or by).pk, by=by, at=at, **more)


def stands_in(session, by, **more):
    with as_member(by):
        at = timezone.now()
        return leading.stands_in(known(session), **(FOX | more), by=by, at=at)


def agree(session, person):
    with as_member(person):
        leading.agree(known(session), version=1, by=person, at=timezone.now())


def letters(kind):
    with as_owner():
        return list(Letter.objects.filter(kind=kind).select_related("recipient"))


def names_of(circle, found):
    by_pk = {getattr(circle, name).pk: name for name in [*TOLD, "on_leave"]}
    return sorted(by_pk[letter.recipient_id] for letter in found)


def composed(letter):
    with as_member(None, "balint_worker"):
        assert kind_of(letter).still_wanted(letter)
        return kind_of(letter).compose(letter)


def wanted(letter):
    with as_member(None, "balint_worker"):
        return kind_of(letter).still_wanted(letter)


def words(session, viewer, client_of):
    page = client_of(viewer).get(reverse("session", args=[session.pk]))
    return page.content.decode()


# One leader alone


def test_everyone_it_concerns_is_told_that_one_leads_alone(circle, evening, client_of):
    alone(evening, circle.leader)
    found = letters("one-leader")
    assert names_of(circle, found) == TOLD
    assert {letter.send_before for letter in found} == {evening.starts_at}
    [to_dana] = [letter for letter in found if letter.recipient == circle.member]
    message = composed(to_dana)
    assert message.subject.startswith("Valley on ")
    assert message.subject.endswith(": one leader")
    assert "Dr Ruth Marks leads alone this time." in message.text
    assert "Valley group" not in message.text
    page = words(evening, circle.member, client_of)
    assert "Ruth leads alone." in page
    assert "Ruth leads alone." in client_of(circle.member).get("/").content.decode()


def test_a_leader_says_that_the_other_leads_alone(circle, evening, client_of):
    body = {"do": "alone", "leader": str(circle.second_leader.pk), "seen": ""}
    path = reverse("tonight", args=[evening.pk])
    answer = client_of(circle.leader).post(path, body, follow=True)
    assert "Erik leads alone." in answer.content.decode()
    with as_owner():
        assert EveningLead.objects.get().leader == circle.second_leader


def test_only_a_leader_leads_alone_and_only_where_there_are_two(circle, evening):
    with pytest.raises(leading.NoLeaderOfTheGroup):
        alone(evening, circle.leader, circle.member)
    with as_owner():
        circle.group.memberships.filter(member=circle.second_leader).update(ended_at=soon(-5))
    with pytest.raises(leading.LeadsAnyway):
        alone(evening, circle.leader)


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"begins": 60 * 24 * 4}, leading.NotTonight),
        ({"begins": -200}, leading.EveningIsOver),
        ({"begins": -5}, leading.HasBegun),
        ({"begins": 120, "phase": "cancelled"}, leading.DoesNotTakePlace),
    ],
)
def test_it_is_said_from_the_day_before_until_the_meeting_begins(circle, fields, refusal):
    session = make_session(circle, setting="in_person", **fields)
    with pytest.raises(refusal):
        alone(session, circle.leader)
    assert letters("one-leader") == []


@pytest.mark.parametrize("who", ["member", "on_leave", "newcomer", "admin", "outsider"])
def test_nobody_but_its_leaders_says_who_leads(circle, evening, who):
    person = getattr(circle, who)
    with pytest.raises(leading.NotYoursToLead):
        alone(evening, person, circle.leader)
    with pytest.raises(DatabaseError, match="its leaders' to say"), as_member(person):
        EveningLead.objects.bulk_create([row(evening, circle.leader, by=person)])


def row(session, leader, **more):
    values = {"kind": "alone", "leader": leader, "at": timezone.now()} | more
    on = session.starts_at.astimezone(session.zone).date()
    return EveningLead(session=session, group_id=session.group_id, on=on, **values)


def test_taken_back_what_waits_is_not_sent_and_the_pages_say_nothing(circle, evening, client_of):
    alone(evening, circle.leader)
    [letter, *_rest] = letters("one-leader")
    with as_member(circle.second_leader):
        at = timezone.now()
        leading.as_always(known(evening), by=circle.second_leader, at=at)
    assert {letter.state for letter in letters("one-leader")} == {"cancelled"}
    assert not wanted(letter)
    assert "leads alone" not in words(evening, circle.member, client_of)


def test_a_page_that_is_out_of_date_changes_nothing_and_keeps_what_was_typed(
    circle, evening, client_of
):
    alone(evening, circle.leader)
    path = reverse("tonight", args=[evening.pk])
    body = {"do": "substitute", "seen": "", **FOX}
    answer = client_of(circle.second_leader).post(path, body)
    assert answer.status_code == 409
    assert "changed in the meantime" in answer.content.decode()
    assert 'value="Dr Lena Fox"' in answer.content.decode()
    with as_owner():
        assert EveningLead.objects.get().kind == "alone"


def test_moved_to_another_day_it_lapses_and_to_another_hour_it_stays(circle, evening, client_of):
    alone(evening, circle.leader)
    [letter, *_rest] = letters("one-leader")
    with as_owner():
        Session.objects.filter(pk=evening.pk).update(place="Elsewhere")
    assert wanted(letter)
    assert "Ruth leads alone." in words(evening, circle.member, client_of)
    with as_owner():
        EveningLead.objects.update(on=timezone.now().date() - timedelta(days=3))
    assert not wanted(letter)
    assert "leads alone" not in words(evening, circle.member, client_of)


def test_a_cancelled_evening_is_led_by_nobody(circle, evening, client_of):
    alone(evening, circle.leader)
    [letter, *_rest] = letters("one-leader")
    with as_member(circle.leader):
        planning.cancel(known(evening), by=circle.leader, at=timezone.now())
    assert not wanted(letter)
    assert "leads alone" not in words(evening, circle.member, client_of)


def test_who_has_left_is_not_told(circle, evening):
    alone(evening, circle.leader)
    with as_owner():
        circle.group.memberships.filter(member=circle.member).update(ended_at=soon(-1))
    [letter] = [one for one in letters("one-leader") if one.recipient == circle.member]
    assert not wanted(letter)


# A substitute


def test_the_group_reads_who_stands_in_and_the_substitute_when_and_where(
    circle, evening, fox, client_of
):
    stands_in(evening, circle.leader, instead_of=circle.second_leader.pk)
    assert names_of(circle, letters("substitute")) == TOLD
    told = composed(letters("substitute")[0])
    assert "Dr Lena Fox stands in for Dr Erik Krantz this time." in told.text
    assert "lena.fox@example.org" not in told.text
    [asked] = letters("standing-in")
    assert (asked.recipient, asked.address) == (fox, "")
    said = composed(asked)
    assert "You are asked to lead Valley once" in said.text
    assert "Clinic, library" in said.text
    assert f"/sessions/{evening.pk}/standing-in/" in said.text
    assert "Dr Lena Fox stands in for Erik." in words(evening, circle.member, client_of)


def test_who_has_no_account_is_written_to_all_the_same_and_the_leaders_do_not_learn_it(
    circle, evening, client_of
):
    path = reverse("tonight", args=[evening.pk])
    answer = client_of(circle.leader).post(
        path, {"do": "substitute", "seen": "", "instead_of": "", **FOX}, follow=True
    )
    page = answer.content.decode()
    assert "Dr Lena Fox leads this time, as a substitute." in page
    assert "Asked at lena.fox@example.org." in page
    [asked] = letters("standing-in")
    assert (asked.recipient, asked.address) == (None, "lena.fox@example.org")
    text = composed(asked).text
    assert text.startswith("Dear Dr Lena Fox,")
    assert "The leaders will ring you." in text
    assert "http" not in text


def test_a_member_of_the_group_stands_in_for_nobody(circle, evening):
    with pytest.raises(leading.BelongsToTheGroup):
        stands_in(evening, circle.leader, address=circle.member.email.upper())


def test_before_agreeing_a_substitute_sees_when_where_whom_to_ring_and_the_text(
    circle, evening, fox, client_of
):
    with as_owner():
        circle.group.contact = "Ruth, +972 2 5550100"
        circle.group.save()
    stands_in(evening, circle.leader)
    page = client_of(fox).get(reverse("standing_in", args=[evening.pk])).content.decode()
    for shown in ("Clinic, library", "+972 2 5550100", "What is said here stays here."):
        assert shown in page
    for hidden in ("Dana", "Owen", "Valley group"):
        assert hidden not in page


def test_after_agreeing_who_sits_there_who_is_away_and_how_to_get_in(
    circle, evening, fox, client_of
):
    with as_owner():
        Entrance.objects.create(group=circle.group, door="4471#", join_link="https://x.y/z")
        answer = Answer(
            session=evening,
            group=circle.group,
            member=circle.absent,
            on=evening.starts_at.astimezone(evening.zone).date(),
            answered_at=timezone.now(),
        )
        answer.reason = "A funeral"
        answer.save()
    stands_in(evening, circle.leader)
    path = reverse("standing_in", args=[evening.pk])
    assert client_of(fox).post(path, {"version": "1"}).status_code == 302
    page = client_of(fox).get(path).content.decode()
    assert "4471#" in page
    assert "Ruth, Erik, Amit, Dana, Nina" in page
    assert "Owen, Hanna" in page
    assert "A funeral" not in page
    assert "https://x.y/z" not in page, "it meets in person"


def test_a_substitute_agrees_to_the_text_they_read(circle, evening, fox, client_of):
    stands_in(evening, circle.leader)
    path = reverse("standing_in", args=[evening.pk])
    answer = client_of(fox).post(path, {"version": "7"})
    assert answer.status_code == 409
    with as_owner():
        assert EveningLead.objects.get().agreed_at is None


def test_a_substitute_sees_no_other_page_of_the_group(circle, evening, fox, client_of):
    stands_in(evening, circle.leader)
    agree(evening, fox)
    pages = ["session", "before", "tonight", "room", "afterwards", "session_answer", "card"]
    paths = [reverse(name, args=[evening.pk]) for name in pages]
    paths += [reverse(name, args=[circle.group.pk]) for name in ("group", "roster", "schedule")]
    assert {path: client_of(fox).get(path).status_code for path in paths} == dict.fromkeys(
        paths, 404
    )


@pytest.mark.parametrize("who", ["leader", "member", "admin", "outsider", "superuser"])
def test_the_page_of_the_substitute_is_nobody_elses(circle, evening, fox, client_of, who):
    stands_in(evening, circle.leader)
    agree(evening, fox)
    path = reverse("standing_in", args=[evening.pk])
    assert client_of(getattr(circle, who)).get(path).status_code == 404
    with pytest.raises(DatabaseError, match="its leaders' to say"), as_member(circle.member):
        EveningLead.objects.update(agreed_at=timezone.now())


@pytest.mark.parametrize("ends", ["next morning", "taken back", "cancelled", "another day"])
def test_it_ends(circle, evening, fox, client_of, ends):
    stands_in(evening, circle.leader)
    agree(evening, fox)
    path = reverse("standing_in", args=[evening.pk])
    assert client_of(fox).get(path).status_code == 200
    with as_owner():
        if ends == "taken back":
            EveningLead.objects.all().delete()
        elif ends == "another day":
            EveningLead.objects.update(on=timezone.now().date() - timedelta(days=3))
        else:
            change = {"phase": "cancelled"} if ends == "cancelled" else {"runs_until": soon(-1)}
            Session.objects.filter(pk=evening.pk).update(**change)
    assert client_of(fox).get(path).status_code == 404
    with as_member(fox), connection.cursor() as cursor:
        cursor.execute("select count(*) from public.balint_for_substitute(%s)", [evening.pk])
        assert cursor.fetchone() == (0,)


def test_thirty_days_later_nobody_knows_who_stood_in(circle, evening, fox):
    stands_in(evening, circle.leader)
    for days, left in ((29, 1), (31, 0)):
        with as_owner():
            Session.objects.filter(pk=evening.pk).update(
                starts_at=soon(-60 * 24 * days), runs_until=soon(-60 * 24 * days + 600)
            )
            upkeep.run()
            assert EveningLead.objects.count() == left


def test_a_substitute_has_a_name_and_an_address_and_who_leads_alone_is_a_leader(circle, evening):
    session = fresh(evening)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"kind": "substitute", "leader": None}, "a_substitute_has_a_name"),
        ({"leader": None}, "a_substitute_has_a_name"),
        ({"agreed_at": timezone.now()}, "only_an_account_agrees"),
        ({"leader": make_member("Gone"), "on": None}, "on"),
    ]
    for fields, name in wrong:
        one = row(session, circle.leader, by=circle.leader)
        for field, value in fields.items():
            setattr(one, field, value)
        with pytest.raises(DatabaseError, match=name), as_owner():
            one.save(force_insert=True)
