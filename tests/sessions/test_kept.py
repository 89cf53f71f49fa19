"""“Forget now” beside what is one's own: a reason, a number; nothing of others, nothing more."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from groups.joining import NotYours
from groups.models import AskedAs, Ending, Leave, LeavingReason, Membership
from members.models import Phone
from sessions import export, kept, reflections, words
from sessions.models import Answer
from tests.balint import installation
from tests.balint.installation import install
from tests.sessions.evening import soon
from tests.world import as_member, as_owner

FAREWELL = "Another town"


@pytest.fixture
def everything(circle):
    return install(circle)


@pytest.fixture
def farewell(everything):
    """The member's own, with a reason in their words."""
    circle, at = everything.circle, timezone.now()
    with as_owner():
        ending = Ending.objects.create(
            group=circle.group,
            membership=Membership.objects.get(member=circle.member),
            asked_by=circle.member,
            asked_as=AskedAs.PERSON,
            asked_at=at,
            ends_at=at + timedelta(days=30),
        )
        reason = LeavingReason(
            group=circle.group, member=circle.member, ending=ending, forget_on=at.date()
        )
        reason.text = FAREWELL
        reason.save(force_insert=True)
    return reason


def ways(everything, farewell):
    """For each “forget now” whose it is, its address, and what goes."""
    circle = everything.circle
    return {
        "answer": (circle.absent, address("answer_reason_forget", everything.answer)),
        "leave": (circle.on_leave, address("leave_reason_forget", everything.leave)),
        "leaving": (circle.member, address("leaving_reason_forget", farewell)),
        "phone": (circle.member, reverse("phone_forget")),
    }


def address(name, row):
    return reverse(name, args=[row.pk])


def leaves_group(*people):
    with as_owner():
        Membership.objects.filter(member__in=people).update(ended_at=soon(-60 * 24))


def stands(everything, farewell):
    """What is still kept of the four."""
    with as_owner():
        everything.answer.refresh_from_db()
        everything.leave.refresh_from_db()
        return {
            "answer": bool(everything.answer.reason),
            "leave": bool(everything.leave.reason),
            "leaving": LeavingReason.objects.filter(pk=farewell.pk).exists(),
            "phone": Phone.objects.filter(member=everything.circle.member).exists(),
        }


ALL = dict.fromkeys(("answer", "leave", "leaving", "phone"), True)


@pytest.mark.parametrize("left", [False, True], ids=["inside", "after leaving"])
@pytest.mark.parametrize("what", ALL)
def test_each_asks_once_and_then_that_alone_is_gone(everything, farewell, client_of, what, left):
    person, page = ways(everything, farewell)[what]
    if left:
        leaves_group(person)
    client = client_of(person)
    assert page in client.get(reverse("settings_kept")).content.decode()
    assert client.get(page).status_code == 200
    assert stands(everything, farewell) == ALL
    assert client.post(page).url == reverse("settings_kept")
    assert stands(everything, farewell) == ALL | {what: False}
    assert page not in client.get(reverse("settings_kept")).content.decode()
    again = client.post(page)
    assert again.status_code == (302 if what == "phone" else 404)


@pytest.mark.parametrize("what", ["answer", "leave", "leaving"])
def test_anothers_reason_is_not_there_to_forget(everything, farewell, client_of, what):
    _person, page = ways(everything, farewell)[what]
    circle = everything.circle
    for other in (circle.leader, circle.presenter, circle.admin, circle.superuser):
        assert client_of(other).get(page).status_code == 404
        assert client_of(other).post(page).status_code == 404
    assert stands(everything, farewell) == ALL


def test_the_domain_and_the_database_refuse_it_too(everything, farewell):
    circle = everything.circle
    for forget, row in (
        (kept.forget_answers_reason, everything.answer),
        (kept.forget_leaves_reason, everything.leave),
        (kept.forget_leaving_reason, farewell),
    ):
        with as_member(circle.presenter), pytest.raises(NotYours):
            forget(row, by=circle.presenter)
    forged = Answer(pk=everything.answer.pk, member=circle.presenter)
    with as_member(circle.presenter):
        kept.forget_answers_reason(forged, by=circle.presenter)
    assert stands(everything, farewell) == ALL


def test_not_coming_and_being_away_stay_without_their_reasons(everything, farewell, client_of):
    for what in ("answer", "leave"):
        person, page = ways(everything, farewell)[what]
        client_of(person).post(page)
    with as_owner():
        assert Answer.objects.filter(pk=everything.answer.pk, reason_sealed=None).exists()
        assert Leave.objects.filter(pk=everything.leave.pk, reason_sealed=None).exists()
    page = client_of(everything.circle.leader).get(reverse("session", args=[everything.planned.pk]))
    assert "Owen" in page.content.decode()


def test_what_a_leader_wrote_of_ones_going_is_neither_shown_nor_forgotten(everything, client_of):
    client = client_of(everything.circle.absent)
    page = address("leaving_reason_forget", everything.leaving)
    assert client.get(page).status_code == 404
    shown = client.get(reverse("settings_kept")).content.decode()
    assert page not in shown
    assert installation.LEAVING not in shown


def test_the_page_lists_reflections_words_and_the_record(everything, client_of):
    circle = everything.circle
    page = client_of(circle.member).get(reverse("settings_kept")).content.decode()
    for name in ("reflection_edit", "reflection_delete"):
        assert address(name, everything.reflection) in page
    assert installation.REFLECTION not in page
    assert "For two years a record says" in page
    assert reverse("settings_export") in page
    leaders = client_of(circle.leader).get(reverse("settings_kept")).content.decode()
    assert address("leaders_note", everything.held) in leaders
    assert installation.WORD not in leaders


def test_who_leads_no_more_sees_no_word_of_theirs(everything, client_of):
    circle = everything.circle
    leaves_group(circle.leader)
    page = client_of(circle.leader).get(reverse("settings_kept")).content.decode()
    assert address("leaders_note", everything.held) not in page


def test_neither_list_brings_a_text_with_it(everything):
    circle, at = everything.circle, timezone.now()
    with as_member(circle.member):
        [mine] = reflections.of(circle.member)
        assert "text_sealed" in mine.get_deferred_fields()
    with as_member(circle.leader):
        [word] = kept.about(circle.leader, at).words
        assert set(words.TEXT) <= word.get_deferred_fields()


@pytest.mark.parametrize("what", ["answer", "leave", "leaving", "phone"])
def test_the_page_says_that_a_backup_may_bring_it_back(everything, farewell, client_of, what):
    with as_owner():
        Phone.objects.get_or_create(member=everything.circle.member, defaults={"number": "1"})
    person, page = ways(everything, farewell)[what]
    assert "If one has to be used before, it comes back" in client_of(person).get(page).text


@pytest.mark.parametrize("what", ["answer", "leave", "leaving"])
def test_a_reason_that_does_not_open_says_so_and_stays_in_reach(
    everything, farewell, client_of, what
):
    row = {"answer": everything.answer, "leave": everything.leave, "leaving": farewell}[what]
    name = "text" if what == "leaving" else "reason"
    with as_owner():
        type(row).objects.filter(pk=row.pk).update(**{f"{name}_version": 77})
    person, forget = ways(everything, farewell)[what]
    client = client_of(person)
    page = client.get(reverse("settings_kept"))
    assert page.status_code == 200
    assert "(cannot be opened)" in page.text
    assert forget in page.text
    with as_member(person):
        file = json.loads(export.take(by=person, at=timezone.now()))
    assert '"reason": null' in json.dumps(file)
    assert client.post(forget).status_code == 302
    assert "(cannot be opened)" not in client.get(reverse("settings_kept")).text
