"""News at short notice: who is told on which page, and whom it has reached."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from groups.models import Preference
from members.models import Phone
from sessions import answers, notices, planning, tonight, upkeep
from sessions.models import Change, NoticeSeen, Session
from tests.sessions.evening import fresh, make_session, soon
from tests.world import as_member, as_owner

DAY = timedelta(days=1)
SOON: dict[str, Any] = {"begins": 60, "setting": "in_person"}


@pytest.fixture
def evening(circle):
    """It begins in an hour, and was settled two months ago."""
    return make_session(circle, **SOON)


def cancel(session, by, reason="The house is closed"):
    with as_member(by):
        return planning.cancel(fresh_for(session), reason=reason, by=by, at=timezone.now())


def fresh_for(session):
    return Session.objects.select_related("group", "series").get(pk=session.pk)


def unreached(session, to):
    session = fresh(session)
    with as_member(to):
        people = tonight.of(session, to=to, at=timezone.now()).unreached
    return None if people is None else [person.name for person in people]


def seen():
    with as_owner():
        return set(NoticeSeen.objects.values_list("member__name", flat=True))


def page(session):
    return reverse("session", args=[session.pk])


def test_tonight_begins_with_the_day_before_on_the_meetings_own_clock(circle):
    session = make_session(circle, **SOON)
    local = session.starts_at.astimezone(session.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = (midnight - timedelta(hours=2)).replace(hour=0)
    assert notices.opens_at(session) == begins
    assert notices.is_tonight(session, begins)
    assert not notices.is_tonight(session, begins - timedelta(seconds=1))
    assert notices.is_tonight(session, session.ends_at - timedelta(seconds=1))
    assert not notices.is_tonight(session, session.ends_at)


def test_opening_the_page_of_a_meeting_that_did_not_change_is_noted_nowhere(
    circle, evening, client_of
):
    for path in (page(evening), reverse("home")):
        assert client_of(circle.member).get(path).status_code == 200
    assert seen() == set()
    assert unreached(evening, circle.leader) is None


def test_who_opens_the_page_after_the_change_has_seen_it(circle, evening, client_of):
    cancel(evening, circle.leader)
    expected = ["Erik", "Amit", "Dana", "Owen", "Nina"]
    assert unreached(evening, circle.leader) == expected
    answer = client_of(circle.member).get(page(evening)).content.decode()
    assert "This meeting does not take place." in answer
    assert "The leaders see that this has reached you." in answer
    assert unreached(evening, circle.leader) == ["Erik", "Amit", "Owen", "Nina"]
    assert seen() == {"Dr Dana Green"}


def test_the_first_page_says_what_changed_and_counts_as_seen(circle, evening, client_of):
    cancel(evening, circle.leader)
    answer = client_of(circle.presenter).get(reverse("home")).content.decode()
    assert "This meeting does not take place." in answer
    assert "The house is closed" in answer
    assert seen() == {"Dr Amit Nader"}


def test_a_later_change_has_to_be_seen_again(circle, evening, client_of):
    cancel(evening, circle.leader)
    client_of(circle.member).get(page(evening))
    with as_member(circle.second_leader):
        planning.restore(fresh_for(evening), by=circle.second_leader, at=timezone.now())
    assert unreached(evening, circle.leader) == ["Amit", "Dana", "Owen", "Nina"]
    client_of(circle.member).get(page(evening))
    assert unreached(evening, circle.leader) == ["Amit", "Owen", "Nina"]


def test_who_answers_has_seen_the_change_and_who_is_away_is_not_waited_for(circle, evening):
    with as_owner():
        change = Change(session=evening, group=circle.group, kind="moved", by=circle.leader)
        change.at = timezone.now()
        change.reason = ""
        change.save()
    for person, verb in (
        (circle.member, answers.cannot_come),
        (circle.presenter, answers.can_come),
    ):
        with as_member(person):
            verb(fresh_for(evening), by=person, at=timezone.now())
    assert seen() == {"Dr Dana Green", "Dr Amit Nader"}
    assert unreached(evening, circle.leader) == ["Erik", "Owen", "Nina"]
    assert unreached(evening, circle.second_leader) == ["Owen", "Nina"], "the other made it"


def test_a_change_made_in_time_is_nobodys_to_have_seen(circle, client_of):
    session = make_session(circle, begins=60 * 24 * 7, setting="in_person")
    cancel(session, circle.leader)
    answer = client_of(circle.member).get(page(session)).content.decode()
    assert "The leaders see" not in answer
    assert seen() == set()


def test_who_is_away_or_new_looks_and_is_not_noted(circle, evening, client_of):
    cancel(evening, circle.leader)
    assert client_of(circle.on_leave).get(page(evening)).status_code == 200
    assert client_of(circle.newcomer).get(page(evening)).status_code == 302
    assert client_of(circle.admin).get(page(evening)).status_code == 200
    assert seen() == set()


def test_it_is_forgotten_the_next_morning(circle, evening, client_of):
    cancel(evening, circle.leader)
    client_of(circle.member).get(page(evening))
    with as_owner():
        upkeep.run()
    assert seen() == {"Dr Dana Green"}
    with as_owner():
        Session.objects.filter(pk=evening.pk).update(starts_at=soon(-60 * 20), runs_until=soon(-1))
        assert upkeep.run()["news of the evening forgotten"] == 1
    assert seen() == set()


def test_numbers_stand_beside_those_not_reached_who_share_them(circle, evening, client_of):
    with as_owner():
        for person in (circle.member, circle.presenter):
            Phone.objects.create(member=person, number="+972 2 5550199")
        Preference.objects.create(group=circle.group, member=circle.member, shares_phone=True)
    cancel(evening, circle.leader)
    with as_member(circle.leader):
        look = tonight.of(fresh_for(evening), to=circle.leader, at=timezone.now())
    assert [(one.name, one.number) for one in look.unreached] == [
        ("Erik", ""),
        ("Amit", ""),
        ("Dana", "+972 2 5550199"),
        ("Owen", ""),
        ("Nina", ""),
    ]
    assert [one.name for one in look.phones] == ["Dana"]
    shown = client_of(circle.leader).get(reverse("tonight", args=[evening.pk])).content.decode()
    assert 'href="tel:+97225550199"' in shown
    assert "shares no number" in shown


def test_who_has_seen_it_is_the_leaders_alone(circle, evening, client_of):
    cancel(evening, circle.leader)
    for person in (circle.member, circle.absent):
        client_of(person).get(page(evening))
    with as_member(circle.member):
        rows = list(NoticeSeen.objects.values_list("member__name", flat=True))
    assert rows == ["Dr Dana Green"]
    for who in ("member", "on_leave", "admin", "former", "outsider", "superuser"):
        person = getattr(circle, who)
        answer = client_of(person).get(reverse("tonight", args=[evening.pk]))
        assert answer.status_code == 404, who


def test_the_page_is_for_tonight_alone(circle, client_of):
    for begins, words in ((60 * 24 * 4, "the day before"), (-60 * 24, "is over")):
        session = make_session(circle, begins=begins, setting="in_person")
        answer = client_of(circle.leader).get(reverse("tonight", args=[session.pk]))
        assert answer.status_code == 409
        assert words in answer.content.decode()


def test_tonight_is_cancelled_from_there_and_the_page_says_whom_it_has_not_reached(
    circle, evening, client_of
):
    path = reverse("tonight", args=[evening.pk])
    body = {"do": "cancel", "seen": 0, "reason": "Ring Olaf, +49 170 5550123"}
    asked = client_of(circle.leader).post(path, body).content.decode()
    assert "This looks like a phone number" in asked
    assert fresh(evening).phase == "planned"
    answer = client_of(circle.leader).post(
        path, body | {"reason": "No heating in the house"}, follow=True
    )
    page = answer.content.decode()
    assert "The meeting is cancelled. Everyone in the group is told by mail." in page
    assert "Who has not seen the notice" in page
    assert fresh(evening).phase == "cancelled"
    again = client_of(circle.second_leader).post(path, body | {"reason": "", "seen": 1})
    assert again.status_code == 409


def test_what_is_undone_is_news_to_whoever_had_seen_it(circle, evening, client_of):
    cancel(evening, circle.leader)
    client_of(circle.member).get(page(evening))
    with as_member(circle.leader):
        planning.undo(fresh_for(evening), by=circle.leader, at=timezone.now())
    assert "Dana" in unreached(evening, circle.leader)
    answer = client_of(circle.member).get(page(evening)).content.decode()
    assert "This meeting takes place as it was planned" in answer
    assert "Dana" not in unreached(evening, circle.leader)
    led = client_of(circle.leader).get("/").content.decode()
    assert reverse("tonight", args=[evening.pk]) in led
