"""Who is where: waited for, here, not connected; and for leaders whom to ring."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from groups import frames
from groups.models import Entrance, Preference
from members.models import Phone
from sessions import whereabouts
from sessions.models import EveningLead, RoomPresence
from sessions.phases import RUNNING, Phase
from tests.sessions.evening import at_phase, enter, fresh, make_session, move, soon, tell
from tests.sessions.meetings import cannot_come
from tests.sessions.test_room import ask, page, shown
from tests.world import as_member, as_owner

NUMBER = "+972 52 555 0144"


def silent(session, who, minutes=2):
    """The screen asks no more, as in a tunnel."""
    with as_owner():
        rows = RoomPresence.objects.filter(session=session, member=who)
        rows.update(seen_at=soon(-minutes))


def shares_number(circle, who, shares=True):
    with as_owner():
        Phone.objects.create(member=who, number=NUMBER)
        Preference.objects.create(group=circle.group, member=who, shares_phone=shares)


def watch(text):
    """What only the leaders' strip says of people."""
    begins = text.index('id="watch"')
    return " ".join(text[text.index(">", begins) + 1 : text.index("</p>", begins)].split())


def test_who_is_here_who_is_silent_and_who_came(circle):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.presenter, circle.member)
    silent(session, circle.presenter)
    with as_owner():
        RoomPresence.objects.filter(member=circle.member).update(left_at=timezone.now())
    with as_member(circle.leader):
        found = whereabouts.of(session, timezone.now())
    assert found.here == {circle.leader.pk}
    assert found.lost == {circle.presenter.pk}
    assert found.came == {circle.leader.pk, circle.presenter.pk, circle.member.pk}


@pytest.mark.parametrize(("seconds", "lost"), [(59, False), (60, True)])
def test_a_chair_is_lost_after_a_minute(circle, seconds, lost):
    session, now = at_phase(circle, Phase.CALL), timezone.now()
    enter(session, circle.member, at=now)
    with as_member(circle.member):
        found = whereabouts.of(session, now + timedelta(seconds=seconds))
    assert (circle.member.pk in found.lost) is lost
    assert (circle.member.pk in found.here) is not lost


def test_who_is_expected_and_not_there_yet_is_told_to_leaders_alone(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    cannot_come(session, circle.absent)
    enter(session, circle.leader)
    assert watch(page(client_of(circle.leader), session)) == "Not here yet: Erik, Amit and Dana"
    assert "Not here yet" not in page(client_of(circle.member), session)
    assert watch(page(client_of(circle.second_leader), session)) == "Not here yet: Amit"


@pytest.mark.parametrize("phase", sorted(RUNNING))
def test_they_are_waited_for_until_the_first_case(circle, client_of, phase):
    session = at_phase(circle, phase)
    waits = phase in {Phase.ARRIVING, Phase.FOLLOW_UP, Phase.CALL}
    assert ("Not here yet" in page(client_of(circle.leader), session)) is waits


def test_who_leads_alone_waits_for_no_other_leader(circle, client_of):
    session = make_session(circle, begins=5)
    with as_owner():
        EveningLead.objects.create(
            session=session,
            group=circle.group,
            kind=EveningLead.ALONE,
            leader=circle.leader,
            on=session.starts_at.astimezone(session.zone).date(),
            at=timezone.now(),
        )
    said = watch(page(client_of(circle.leader), session))
    assert said == "Not here yet: Amit, Dana and Owen"


def test_before_the_start_one_of_two_leaders_may_say_that_the_other_stays_away(circle, client_of):
    session = make_session(circle, begins=5)
    tonight = reverse("tonight", args=[session.pk])
    assert "One of us leads alone" in page(client_of(circle.leader), session)
    assert tonight in page(client_of(circle.leader), session)
    assert tonight not in page(client_of(circle.member), session)
    begun = at_phase(circle, Phase.ARRIVING)
    assert "One of us leads alone" not in page(client_of(circle.leader), begun)


def test_a_silent_chair_is_said_to_be_not_connected_to_everyone(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.presenter, circle.member)
    silent(session, circle.presenter)
    for who in ("leader", "member"):
        text = page(client_of(getattr(circle, who)), session)
        assert "Amit is not connected" in text
        assert 'class="chair member lost"' in text
        assert "Amit is away" not in text


def test_a_screen_hears_of_it_without_a_step(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.presenter)
    client = client_of(circle.leader)
    saw = shown(client, session)
    silent(session, circle.presenter)
    answer = ask(client, session, **saw).content.decode()
    assert "Amit is not connected" in answer
    assert "innerHTML:#sentence" not in answer


def test_the_minute_alone_moves_the_line_and_no_circle(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    client = client_of(circle.leader)
    saw = shown(client, session)
    saw["mark"] = saw["mark"].split(".")[0] + ".3"
    answer = ask(client, session, **saw).content.decode()
    assert "innerHTML:#line" in answer
    assert "innerHTML:#circle" not in answer
    assert "innerHTML:#watch" not in answer


@pytest.mark.parametrize("phase", [Phase.STORY, Phase.GROUP_WORK])
def test_leaders_are_given_the_number_of_a_presenter_who_lost_the_connection(
    circle, client_of, phase
):
    shares_number(circle, circle.presenter)
    session = tell(circle, phase=phase).session
    text = page(client_of(circle.leader), session)
    assert NUMBER not in text
    silent(session, circle.presenter)
    said = watch(page(client_of(circle.leader), session))
    assert said.startswith("Amit has lost the connection. Ring?")
    assert f'href="tel:{NUMBER.replace(" ", "")}"' in said
    member = page(client_of(circle.member), session)
    assert NUMBER not in member
    assert "lost the connection" not in member


def test_a_number_that_is_not_shared_is_not_shown(circle, client_of):
    shares_number(circle, circle.presenter, shares=False)
    session = tell(circle).session
    silent(session, circle.presenter)
    text = page(client_of(circle.leader), session)
    assert "No number is shared with this group." in watch(text)
    assert NUMBER not in text


def test_nobody_else_s_lost_connection_is_a_matter_for_the_strip(circle, client_of):
    session = tell(circle).session
    silent(session, circle.member)
    assert watch(page(client_of(circle.leader), session)) == ""


def test_in_a_mixed_circle_nobody_is_waited_for_lost_or_rung(circle, client_of):
    shares_number(circle, circle.presenter)
    session = tell(circle).session
    with as_owner():
        type(session).objects.filter(pk=session.pk).update(setting="mixed")
    silent(session, circle.presenter)
    text = page(client_of(circle.leader), session)
    assert watch(text) == ""
    assert "not connected" not in text


# Before the call


def calls(circle, **fields):
    with as_owner():
        Entrance.objects.create(group=circle.group, join_link="https://call.example/valley")
        for name, value in fields.items():
            setattr(circle.group, name, value)
        circle.group.save()


@pytest.mark.parametrize(
    ("camera", "words"), [("on", "on"), ("off", "off"), ("", "as the presenter likes")]
)
def test_before_the_call_everyone_reads_what_it_needs(circle, client_of, camera, words):
    calls(circle, presenter_camera=camera, contact="Ruth, 052 555 0100")
    session = make_session(circle, begins=10)
    for who, name in (("member", "room"), ("member", "session"), ("leader", "before")):
        text = client_of(getattr(circle, who)).get(reverse(name, args=[session.pk]))
        text = " ".join(text.content.decode().split())
        assert "The door is shut, and nobody else can hear." in text, name
        assert "Headphones." in text
        assert "No recorder runs, and no AI helper is in the call." in text
        assert "A number to ring: Ruth, 052 555 0100" in text
        assert f"The presenter’s camera, while the group works: {words}." in text


def test_where_nobody_sits_back_no_camera_is_agreed_on(circle, client_of):
    calls(circle, sits_back=False)
    text = page(client_of(circle.member), make_session(circle, begins=10))
    assert "camera" not in text
    assert "A number to ring, should the connection fail." in text


@pytest.mark.parametrize(("begins", "stands"), [(16, False), (14, True)])
def test_with_the_link_it_stands_on_the_meetings_page_from_15_minutes_before(
    circle, client_of, begins, stands
):
    calls(circle)
    session = make_session(circle, begins=begins)
    text = page(client_of(circle.member), session, "session")
    assert ("https://call.example/valley" in text) is stands
    assert ("Before the call" in text) is stands
    leader = page(client_of(circle.leader), session, "session")
    assert "https://call.example/valley" in leader
    assert ("Before the call" in leader) is stands


def test_once_the_group_has_arrived_it_is_out_of_the_way(circle, client_of):
    calls(circle)
    session = at_phase(circle, Phase.ARRIVING)
    client = client_of(circle.member)
    saw = shown(client, session)
    assert "Before the call" in page(client, session)
    move(session, Phase.CALL, circle.leader)
    assert "Before the call" not in page(client, session)
    answer = ask(client, session, **saw).content.decode()
    assert 'innerHTML:#door"></div>' in answer.replace("\n", "")


def test_in_person_there_is_no_such_list(circle, client_of):
    calls(circle)
    session = make_session(circle, begins=10, setting="in_person")
    for name in ("session", "before"):
        text = client_of(circle.leader).get(reverse(name, args=[session.pk])).content.decode()
        assert "Headphones." not in text


def test_leaders_choose_the_camera_as_the_group_agreed(circle, client_of):
    client = client_of(circle.leader)
    edit = reverse("group_edit", args=[circle.group.pk])
    text = client.get(edit).content.decode()
    assert 'name="presenter_camera"' in text
    with as_member(circle.leader):
        group = frames.edit_inside(
            circle.group, by=circle.leader, at=timezone.now(), entrance={}, presenter_camera="off"
        )
    assert group.presenter_camera == "off"
    assert fresh(make_session(circle)).group.presenter_camera == "off"
