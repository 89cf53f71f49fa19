"""“A word for yourselves”: the author's, or both leaders'; closed at a hand-over."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from groups.joining import NotYours
from groups.models import Membership
from members.audit import Thing, Verb
from members.models import AuditEvent
from sessions import conduct, visible, words
from sessions.models import LeadersNote, Session
from sessions.phases import Phase
from sessions.words import Word
from sessions.writing import LONGEST, TooLong
from tests.sessions.evening import fresh, make_session, soon
from tests.sessions.test_afterwards import post as post_afterwards
from tests.world import as_member, as_owner, join, make_member

QUIET = "It went quiet after the letter."


@pytest.fixture
def held(circle):
    """An evening of yesterday, closed."""
    session = make_session(
        circle, begins=-60 * 20, setting="in_person", phase=Phase.CLOSED, runs_until=soon(-60)
    )
    return fresh(session)


def keeps(session, by, text, **more):
    with as_member(by):
        words.keep(session, Word(text, **more), by=by, at=timezone.now())


def stands():
    with as_owner():
        return {(row.author.first_name, row.text, row.shared) for row in LeadersNote.objects.all()}


def reads(session, person, at=None):
    """What somebody may read of a session's words: by the filter, by the database, by both."""
    at = at or timezone.now()
    with as_member(person):
        by_both = set(visible.words(person, at).values_list("author__name", flat=True))
        by_database = set(LeadersNote.objects.values_list("author__name", flat=True))
    with as_owner():
        by_filter = set(visible.words(person, at).values_list("author__name", flat=True))
    assert by_both == by_filter == by_database
    return {name.split()[1] for name in by_both}


def address(session):
    return reverse("leaders_note", args=[session.pk])


def post(client, session, text, *, shared=False, **more):
    data = {"word-text": text} | ({"word-shared": "on"} if shared else {}) | more
    return client.post(address(session), data)


# Whose it is


def test_a_word_is_its_authors_until_it_is_shared_with_the_other_leader(circle, held):
    keeps(held, circle.leader, QUIET)
    assert reads(held, circle.leader) == {"Ruth"}
    assert reads(held, circle.second_leader) == set()
    keeps(held, circle.leader, QUIET, shared=True)
    assert reads(held, circle.second_leader) == {"Ruth"}
    others = (circle.presenter, circle.member, circle.former, circle.admin, circle.superuser)
    for person in (*others, circle.outsider, circle.newcomer, circle.on_leave):
        assert reads(held, person) == set()


def test_a_former_leader_loses_it_at_once_and_a_new_one_inherits_nothing(circle, held):
    keeps(held, circle.leader, QUIET, shared=True)
    new = make_member("Dr Nora New")
    join(circle.group, new, "leader", since=timezone.now() - timedelta(minutes=5))
    with as_owner():
        Membership.objects.filter(member=circle.leader).update(ended_at=soon(-2))
    assert reads(held, circle.leader) == set()
    assert reads(held, new) == set()
    assert reads(held, circle.second_leader) == {"Ruth"}
    with as_member(circle.leader), pytest.raises(NotYours):
        words.keep(held, Word("Again"), by=circle.leader, at=timezone.now())
    with as_member(new), pytest.raises(NotYours):
        words.keep(held, Word("Mine"), by=new, at=timezone.now())


def test_while_the_meeting_runs_its_leaders_stay_its_leaders(circle):
    session = make_session(circle, begins=-30)
    with as_owner():
        Membership.objects.filter(member=circle.leader).update(ended_at=soon(-5))
    keeps(session, circle.leader, QUIET)
    assert reads(session, circle.leader) == {"Ruth"}
    with as_owner():
        Session.objects.filter(pk=session.pk).update(runs_until=soon(-1))
    assert reads(session, circle.leader) == set()


def test_there_is_one_of_each_leader_for_each_meeting(circle, held):
    keeps(held, circle.leader, QUIET)
    keeps(held, circle.leader, "Louder.", shared=True)
    keeps(held, circle.second_leader, "Mine.")
    assert stands() == {("Ruth", "Louder.", True), ("Erik", "Mine.", False)}
    only_one = pytest.raises(IntegrityError, match="one_word_per_leader_and_session")
    with as_owner(), only_one, transaction.atomic():
        LeadersNote.objects.create(
            session=held,
            group=circle.group,
            author=circle.leader,
            written_at=timezone.now(),
            forget_on=timezone.now().date(),
        )


# When


def test_it_is_forgotten_ninety_days_after_the_writing_however_often_it_is_changed(circle, held):
    keeps(held, circle.leader, QUIET)
    today = timezone.now().astimezone(held.zone).date()
    with as_owner():
        assert LeadersNote.objects.get().forget_on == today + timedelta(days=90)
    later = timezone.now() + timedelta(days=30)
    with as_member(circle.leader):
        words.keep(held, Word("Changed."), by=circle.leader, at=later)
    with as_owner():
        assert LeadersNote.objects.get().forget_on == today + timedelta(days=90)
        assert LeadersNote.objects.get().text == "Changed."


def test_on_its_day_it_is_seen_by_nobody_even_before_it_is_cleared_away(circle, held):
    keeps(held, circle.leader, QUIET, shared=True)
    with as_owner():
        LeadersNote.objects.update(forget_on=timezone.now().date())
    assert reads(held, circle.leader) == reads(held, circle.second_leader) == set()


def test_there_is_no_word_on_a_meeting_that_has_not_begun_or_does_not_take_place(circle):
    ahead = make_session(circle, begins=5)
    cancelled = make_session(circle, phase=Phase.CANCELLED)
    for session, refusal in ((ahead, conduct.NotBegun), (cancelled, conduct.SessionIsCancelled)):
        with as_member(circle.leader), pytest.raises(refusal):
            words.keep(session, Word("x"), by=circle.leader, at=timezone.now())
    assert stands() == set()


# Its page


def test_the_page_keeps_changes_and_deletes_it(circle, client_of, held):
    client = client_of(circle.leader)
    assert post(client, held, QUIET, shared=True).status_code == 302
    assert stands() == {("Ruth", QUIET, True)}
    page = client.get(address(held)).content.decode()
    assert QUIET in page
    assert re.search(r'name="word-shared"[^>]* checked', page)
    assert post(client, held, "").status_code == 302
    assert stands() == set()
    post(client, held, QUIET)
    assert post(client, held, "", do="delete").status_code == 302
    assert stands() == set()


def test_the_other_leader_reads_what_is_shared_and_that_alone(circle, client_of, held):
    keeps(held, circle.second_leader, QUIET, shared=True)
    page = client_of(circle.leader).get(address(held)).content.decode()
    assert QUIET in page
    assert "From Dr Erik Krantz" in page
    keeps(held, circle.second_leader, QUIET, shared=False)
    page = client_of(circle.leader).get(address(held)).content.decode()
    assert QUIET not in page
    assert "Erik" not in page


def on_record():
    with as_owner():
        rows = AuditEvent.objects.filter(thing=Thing.LEADERS_NOTE)
        return set(rows.values_list("verb", "actor", "chain"))


def test_reading_the_others_word_is_put_on_record_and_reading_ones_own_is_not(
    circle, client_of, held
):
    keeps(held, circle.leader, QUIET, shared=True)
    client_of(circle.leader).get(address(held))
    assert on_record() == set()
    client_of(circle.second_leader).get(address(held))
    assert on_record() == {(Verb.READ, circle.second_leader.pk, circle.group.pk)}


@pytest.mark.parametrize("who", ["presenter", "member", "former", "admin", "outsider"])
def test_for_anybody_else_the_page_is_not_there(circle, client_of, held, who):
    keeps(held, circle.leader, QUIET, shared=True)
    client = client_of(getattr(circle, who))
    assert client.get(address(held)).status_code == 404
    assert post(client, held, "x").status_code == 404


def test_whoever_led_alone_is_not_asked_whether_to_share(circle, client_of, held):
    assert "word-shared" in client_of(circle.leader).get(address(held)).content.decode()
    with as_owner():
        Membership.objects.filter(member=circle.second_leader).update(role="member")
    assert "word-shared" not in client_of(circle.leader).get(address(held)).content.decode()


def test_a_text_too_long_is_refused_with_a_sentence_and_kept_on_the_page(circle, client_of, held):
    long = "long " * (LONGEST // 5 + 1)
    answer = post(client_of(circle.leader), held, long)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "4,004 characters" in page
    assert long.strip() in page
    assert stands() == set()
    with as_member(circle.leader), pytest.raises(TooLong):
        words.keep(held, Word(long), by=circle.leader, at=timezone.now())


def test_a_name_in_it_asks_back_once(circle, client_of, held):
    client = client_of(circle.leader)
    page = post(client, held, "Speak with Amit Nader.").content.decode()
    assert "This looks like a name" in page
    assert stands() == set()
    digest = re.search(r'name="word-text-as-it-is" value="([^"]*)"', page)[1]
    post(client, held, "Speak with Amit Nader.", **{"word-text-as-it-is": digest})
    assert stands() == {("Ruth", "Speak with Amit Nader.", False)}


# Afterwards, one minute


def test_it_is_written_on_the_page_afterwards_too(circle, client_of, held):
    client = client_of(circle.leader)
    there = [circle.leader, circle.presenter]
    typed = {"word-text": QUIET, "word-shared": "on"}
    assert post_afterwards(client, held, there, more=typed).status_code == 302
    assert stands() == {("Ruth", QUIET, True)}
    page = client.get(reverse("afterwards", args=[held.pk])).content.decode()
    assert QUIET in page
    # A page that did not ask for a word takes none away; an emptied field does.
    post_afterwards(client, held, there)
    assert stands() == {("Ruth", QUIET, True)}
    post_afterwards(client, held, there, more={"word-text": ""})
    assert stands() == set()


@pytest.mark.reads_context
def test_what_was_typed_stays_when_the_page_is_refused(circle, client_of, held):
    answer = post_afterwards(
        client_of(circle.leader), held, [circle.leader], seen=99, more={"word-text": QUIET}
    )
    assert answer.status_code == 409
    assert QUIET in answer.content.decode()
    assert stands() == set()


def test_a_word_too_long_puts_nothing_down(circle, client_of, held):
    answer = post_afterwards(
        client_of(circle.leader), held, [circle.leader], more={"word-text": "x" * (LONGEST + 1)}
    )
    assert answer.status_code == 409
    assert fresh(held).put_down_at is None


# A page that was open while the word was changed elsewhere


def seen_by(page):
    return re.search(r'name="word-seen" value="([^"]*)"', page.content.decode())[1]


def test_an_old_page_afterwards_neither_deletes_nor_overwrites_a_word(circle, client_of, held):
    client, there = client_of(circle.leader), [circle.leader]
    before = seen_by(client.get(reverse("afterwards", args=[held.pk])))
    keeps(held, circle.leader, QUIET)
    # Nothing was typed there, and nothing is said against it.
    empty = {"word-seen": before, "word-text": ""}
    assert post_afterwards(client, held, there, more=empty).status_code == 302
    assert stands() == {("Ruth", QUIET, False)}
    old = {"word-seen": before, "word-text": "An older thought."}
    answer = post_afterwards(client, held, there, more=old)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Your word has been changed meanwhile" in page
    assert QUIET in page
    assert "An older thought." in page
    assert stands() == {("Ruth", QUIET, False)}
    again = old | {"word-seen": seen_by(answer)}
    assert post_afterwards(client, held, there, more=again).status_code == 302
    assert stands() == {("Ruth", "An older thought.", False)}


def test_an_emptied_field_takes_away_only_what_its_page_showed(circle, client_of, held):
    keeps(held, circle.leader, "An older thought.")
    client, there = client_of(circle.leader), [circle.leader]
    before = seen_by(client.get(reverse("afterwards", args=[held.pk])))
    keeps(held, circle.leader, QUIET)
    empty = {"word-seen": before, "word-text": ""}
    assert post_afterwards(client, held, there, more=empty).status_code == 409
    assert stands() == {("Ruth", QUIET, False)}
    now = seen_by(client.get(reverse("afterwards", args=[held.pk])))
    assert post_afterwards(client, held, there, more=empty | {"word-seen": now}).status_code == 302
    assert stands() == set()


def test_its_own_page_asks_back_the_same_way(circle, client_of, held):
    client = client_of(circle.leader)
    before = seen_by(client.get(address(held)))
    keeps(held, circle.leader, QUIET)
    answer = post(client, held, "An older thought.", **{"word-seen": before})
    assert answer.status_code == 409
    assert "An older thought." in answer.content.decode()
    assert stands() == {("Ruth", QUIET, False)}
    now = seen_by(answer)
    keeps(held, circle.leader, "Louder.")
    assert post(client, held, "", do="delete", **{"word-seen": now}).status_code == 409
    assert stands() == {("Ruth", "Louder.", False)}


def test_a_second_click_of_the_same_words_is_no_change(circle, client_of, held):
    client = client_of(circle.leader)
    before = {"word-seen": seen_by(client.get(address(held)))}
    for _click in range(2):
        assert post(client, held, QUIET, **before).status_code == 302
    assert stands() == {("Ruth", QUIET, False)}


# The ways to it


def test_leaders_find_it_on_the_meetings_page_and_nobody_else_does(circle, client_of, held):
    page = reverse("session", args=[held.pk])
    assert address(held) in client_of(circle.leader).get(page).content.decode()
    assert address(held) not in client_of(circle.member).get(page).content.decode()
    new = make_member("Dr Nora New")
    join(circle.group, new, "leader", since=timezone.now() - timedelta(minutes=5))
    assert address(held) not in client_of(new).get(page).content.decode()


def test_before_the_next_meeting_a_link_says_there_is_one_and_no_text(circle, client_of, held):
    coming = make_session(circle, begins=60, setting="in_person")
    page = reverse("before", args=[coming.pk])
    assert address(held) not in client_of(circle.leader).get(page).content.decode()
    keeps(held, circle.leader, QUIET)
    shown = client_of(circle.leader).get(page).content.decode()
    assert address(held) in shown
    assert QUIET not in shown
    assert address(held) not in client_of(circle.second_leader).get(page).content.decode()
    keeps(held, circle.leader, QUIET, shared=True)
    assert address(held) in client_of(circle.second_leader).get(page).content.decode()
