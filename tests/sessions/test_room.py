"""The room: the same circle for all, nothing to do for members, nothing asked of who told."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.db.utils import ProgrammingError
from django.urls import get_resolver, reverse
from django.utils import timezone

from groups.models import Entrance, Leave
from sessions import cases, strip, whereabouts
from sessions.models import CasePresentation, RoomPresence, Session
from sessions.phases import Phase
from tests.sessions.evening import at_phase, enter, fresh, make_session, move, soon, tell, titled
from tests.world import as_member, as_owner, join, make_member

MAY_POST = {"room_leave", "room_forget"}
LISTENING = "You are sitting back and owe nothing. The leaders will ask you back in."
PERSONAS = [
    "leader",
    "second_leader",
    "presenter",
    "member",
    "absent",
    "newcomer",
    "on_leave",
    "former",
    "admin",
    "outsider",
    "superuser",
]
LEADERS = {"leader", "second_leader"}
INSIDE = {"leader", "second_leader", "presenter", "member", "absent"}


def under_room() -> list[str]:
    """The names of every address under a session's room, from the URLconf itself."""
    return [
        pattern.name
        for pattern in get_resolver().url_patterns
        for pattern in getattr(pattern, "url_patterns", [pattern])
        if str(pattern.pattern).startswith("sessions/<uuid:pk>/room/")
    ]


def address(name: str, session: Session) -> str:
    more = ["anything/else/"] if name == "room_nothing" else []
    return reverse(name, args=[session.pk, *more])


def cut(text: str, begins: str, ends: str) -> str:
    """The first stretch of a page between two marks, with them."""
    start = text.index(begins)
    return text[start : text.index(ends, start + len(begins)) + len(ends)]


def page(client, session, name="room") -> str:
    return client.get(address(name, session)).content.decode()


def post(client, name, session, **data):
    return client.post(address(name, session), {"seen": fresh(session).step, **data})


# Who may


def test_the_room_has_these_addresses():
    assert sorted(under_room()) == [
        "room",
        "room_clock",
        "room_forget",
        "room_in",
        "room_leave",
        "room_nothing",
        "room_now",
        "room_open",
        "room_out",
        "room_presenter",
        "room_show_out",
        "room_stays",
        "room_step",
        "room_undo",
    ]


ROUTES: list[tuple[str, str, set[str]]] = [
    ("room", "get", INSIDE),
    ("room_now", "get", INSIDE),
    ("room_clock", "get", LEADERS),
    ("room_open", "post", LEADERS),
    ("room_step", "post", LEADERS),
    ("room_undo", "post", LEADERS),
    ("room_presenter", "post", LEADERS),
    ("room_out", "get", INSIDE),
    ("room_out", "post", INSIDE),
    ("room_in", "post", LEADERS),
    ("room_show_out", "get", LEADERS),
    ("room_show_out", "post", LEADERS),
    ("room_stays", "post", LEADERS),
    ("room_leave", "post", INSIDE),
    ("room_forget", "post", set()),
    ("room_nothing", "post", set()),
    ("before", "get", LEADERS),
    ("card", "get", LEADERS),
    ("afterwards", "get", LEADERS),
    ("afterwards", "post", LEADERS),
]


@pytest.mark.parametrize("who", PERSONAS)
def test_who_may_what_round_and_in_the_room(circle, client_of, who):
    session = at_phase(circle, Phase.CALL)
    nothing = Session(pk=UUID("00000000-0000-4000-8000-000000000000"))
    client = client_of(getattr(circle, who))
    for name, method, allowed in ROUTES:
        answer = getattr(client, method)(address(name, session), {"seen": "1", "to": "story"})
        if who in allowed:
            assert answer.status_code in {200, 302, 409}, name
            assert answer.status_code != 302 or "agreement" not in answer.url
        elif who == "newcomer":
            assert answer.status_code == 302, name
            assert answer.url == f"/groups/{circle.group.pk}/agreement/"
        else:
            none = getattr(client, method)(address(name, nothing), {"seen": "1", "to": "story"})
            assert (answer.status_code, none.status_code) == (404, 404), name
            assert answer.content == none.content


def test_a_members_tap_changes_nothing(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    for name in ("room_step", "room_undo", "room_presenter", "room_open"):
        post(client_of(circle.member), name, session, to="story")
        assert (fresh(session).phase, fresh(session).step) == (Phase.CALL, 1)


# The presenter sits back


@pytest.mark.parametrize("name", under_room())
def test_whoever_sits_back_may_post_nothing_there_but_leave_and_forget(circle, client_of, name):
    session = tell(circle, phase=Phase.GROUP_WORK).session
    answer = post(client_of(circle.presenter), name, session, to="closing")
    if name in MAY_POST:
        assert answer.status_code == 302
    else:
        assert answer.status_code == 409
        assert LISTENING in answer.content.decode()
    assert fresh(session).phase == Phase.GROUP_WORK


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_nor_by_any_other_method(circle, client_of, method):
    session = tell(circle, phase=Phase.GROUP_WORK).session
    client = client_of(circle.presenter)
    for name in under_room():
        answer = getattr(client, method)(address(name, session))
        assert answer.status_code == (405 if name in MAY_POST else 409), name


def test_a_leader_who_tells_waits_to_be_asked_back_in_too(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.second_leader, circle.member)
    move(session, Phase.STORY, circle.second_leader, presenter=circle.leader)
    move(session, Phase.GROUP_WORK, circle.second_leader)
    assert post(client_of(circle.leader), "room_step", session, to="return").status_code == 409
    assert post(client_of(circle.second_leader), "room_step", session, to="return").url


@pytest.mark.parametrize("phase", [Phase.STORY, Phase.QUESTIONS, Phase.RETURN, Phase.CLOSING])
def test_in_no_other_phase_the_presenter_is_refused_for_listening(circle, client_of, phase):
    session = tell(circle, phase=phase).session
    assert post(client_of(circle.presenter), "room_nothing", session).status_code == 404


def test_account_pages_and_the_own_title_stay_open(circle, client_of):
    case = tell(circle, phase=Phase.GROUP_WORK)
    client = client_of(circle.presenter)
    assert client.get(reverse("settings_kept")).status_code == 200
    answer = client.post(reverse("case_title", args=[case.pk]), {"title": "A letter"})
    assert answer.status_code == 302


def test_forgetting_in_the_room_lets_go_of_the_case_on_every_screen(circle, client_of):
    case = tell(circle, phase=Phase.GROUP_WORK)
    client = client_of(circle.presenter)
    assert client.get(address("room_forget", case.session)).status_code == 200
    step = fresh(case.session).step
    assert post(client, "room_forget", case.session).url == address("room", case.session)
    with as_owner():
        assert CasePresentation.objects.count() == 0
    assert fresh(case.session).step == step + 1
    assert "You can sit back now." not in page(client, case.session)
    assert "The presenter is sitting back." in page(client_of(circle.leader), case.session)


def test_the_dark_screen_says_three_kind_sentences_and_shows_no_name(circle, client_of):
    case = tell(circle, phase=Phase.GROUP_WORK)
    titled(case, "A letter that stayed unopened")
    text = page(client_of(circle.presenter), case.session)
    shown = cut(text, "<main", "</main>")
    words = re.sub(r"<svg.*?</svg>|<[^>]*>", " ", shown, flags=re.S).split()
    assert " ".join(words) == (
        "You can sit back now. The group will stay with your story for a while. "
        "You need not answer, explain or put anything right. The leaders will ask you back in."
    )
    assert "A letter" not in text
    assert "data-clock" not in text


# Screens


@pytest.mark.parametrize(
    ("phase", "sentence"),
    [
        (Phase.CALL, "The call. Who has a case?"),
        (Phase.STORY, "The story. Amit is telling it."),
        (Phase.GROUP_WORK, "The group’s work. Amit is sitting back."),
        (Phase.RETURN, "Coming back in. Amit has the first word, or none."),
        (Phase.CLOSING, "Closing. A few words on the meeting."),
    ],
)
def test_the_same_sentence_for_all(circle, client_of, phase, sentence):
    session = tell(circle).session if phase != Phase.CALL else at_phase(circle, Phase.CALL)
    if phase not in {Phase.CALL, Phase.STORY}:
        move(session, phase, circle.leader)
    for who in sorted(INSIDE):
        text = page(client_of(getattr(circle, who)), session)
        if (who, phase) == ("presenter", Phase.GROUP_WORK):
            assert sentence not in text
        else:
            assert f">{sentence}</p>" in text


def test_members_have_nothing_to_do_but_leave(circle, client_of):
    session = tell(circle, phase=Phase.GROUP_WORK).session
    text = page(client_of(circle.member), session)
    assert re.findall(r'action="([^"]*)"', text) == [address("room_leave", session)]
    assert "<button" in text
    assert text.count("<button") == 1
    assert "<select" not in text


def test_leaders_have_one_quiet_next_step_with_undo(circle, client_of):
    session = tell(circle, phase=Phase.GROUP_WORK).session
    text = page(client_of(circle.leader), session)
    assert "hold: ask Amit back in</button>" in text
    assert ">undo</button>" in text
    assert text.count('class="now"') == 1
    assert text.count('class="done"') == 5
    assert text.count('class="coming"') == 2


def test_no_title_stands_on_any_screen_of_the_room(circle, client_of):
    case = tell(circle, phase=Phase.RETURN)
    titled(case, "A letter that stayed unopened")
    for who in sorted(INSIDE):
        assert "A letter" not in page(client_of(getattr(circle, who)), case.session)


def test_the_circle_is_the_same_for_all_with_who_is_not_there_dashed(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.second_leader, circle.member)
    drawn = set()
    for who in ("leader", "second_leader", "member"):
        text = page(client_of(getattr(circle, who)), session)
        drawn.add(cut(text, "<svg", "</svg>"))
    assert len(drawn) == 1
    assert "Amit is away; Owen is away" in drawn.pop()


def test_a_mixed_circle_calls_nobody_away(circle, client_of):
    session = at_phase(circle, Phase.CALL, setting="mixed")
    assert "is away" not in page(client_of(circle.member), session)


def test_opening_the_page_online_is_entering_and_leaving_goes_to_the_meetings_page(
    circle, client_of
):
    session = at_phase(circle, Phase.CALL)
    client = client_of(circle.member)
    client.get(address("room", session))
    with as_owner():
        assert RoomPresence.objects.get().member == circle.member
    assert post(client, "room_leave", session).url == reverse("session", args=[session.pk])
    with as_owner():
        assert RoomPresence.objects.get().left_at is not None


def test_in_person_the_group_is_meeting_and_nothing_moves(circle, client_of):
    session = make_session(circle, setting="in_person")
    text = page(client_of(circle.member), session)
    body = re.sub(r"<[^>]*>", " ", text[text.index("<main") : text.index("</main>")])
    assert " ".join(body.split()) == "The group is meeting."
    assert "hx-" not in text.replace("htmx-config", "")
    assert "<script" not in text
    with as_owner():
        assert not RoomPresence.objects.exists()


def test_in_person_leaders_may_have_a_dim_clock_and_the_phases(circle, client_of):
    session = make_session(circle, setting="in_person")
    client = client_of(circle.leader)
    assert address("room_clock", session) in page(client, session)
    text = page(client, session, "room_clock")
    assert "data-clock" in text
    assert "hold: open the meeting" in text
    assert "<select" not in text
    answer = post(client, "room_step", session, to="arriving")
    assert answer.url == address("room_clock", session)
    assert "ask for a follow-up report" in page(client, session, "room_clock")


def test_before_the_start_the_room_waits_and_earlier_it_is_shut(circle, client_of):
    client = client_of(circle.member)
    assert "The meeting has not begun." in page(client, make_session(circle, begins=10))
    shut = client.get(address("room", make_session(circle, begins=30)))
    assert shut.status_code == 409
    assert "The room opens on" in shut.content.decode()


def test_when_it_is_over_members_have_a_calm_page_with_the_next_date(circle, client_of):
    session = make_session(circle, phase=Phase.CLOSED)
    following = make_session(circle, begins=60 * 24 * 28)
    day = f"{following.starts_at.astimezone(following.zone):%-d %B}"
    text = page(client_of(circle.member), session)
    assert "The meeting is over." in text
    assert day in text
    assert '<form method="post" action="/sessions' not in text
    assert reverse("afterwards", args=[session.pk]) not in text
    assert reverse("afterwards", args=[session.pk]) in page(client_of(circle.leader), session)


def test_a_cancelled_one_does_not_take_place(circle, client_of):
    answer = client_of(circle.member).get(address("room", make_session(circle, phase="cancelled")))
    assert answer.status_code == 409
    assert "This meeting does not take place." in answer.content.decode()


# Taps


def test_a_late_tap_is_told_so_above_the_present_state(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    client, second = client_of(circle.leader), client_of(circle.second_leader)
    assert client.post(address("room_step", session), {"seen": 1, "to": "story"}).status_code == 302
    late = second.post(address("room_step", session), {"seen": 1, "to": "story"})
    assert late.status_code == 409
    text = late.content.decode()
    assert "The session has moved on." in text
    assert "The story, told from memory." in text
    assert fresh(session).step == 2


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("room_step", {"to": "lunch"}),
        ("room_step", {"seen": "", "to": "story"}),
        ("room_step", {"to": "story", "presenter": "nobody"}),
        ("room_undo", {"seen": "x"}),
        ("room_presenter", {"presenter": "x"}),
        ("room_presenter", {}),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(circle, client_of, name, data):
    session = at_phase(circle, Phase.CALL)
    assert post(client_of(circle.leader), name, session, **data).status_code == 409
    assert (fresh(session).phase, fresh(session).step) == (Phase.CALL, 1)


def test_the_presenter_is_named_with_the_step_into_the_story(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.presenter)
    client = client_of(circle.leader)
    assert '<select id="who-tells"' in page(client, session)
    post(client, "room_step", session, to="story", presenter=str(circle.presenter.pk))
    assert "The story. Amit is telling it." in page(client, session)
    enter(session, circle.member)
    post(client, "room_presenter", session, presenter=str(circle.member.pk))
    assert "The story. Dana is telling it." in page(client, session)
    assert "Dana has left" in page(client, session)
    post(client, "room_presenter", session)
    assert "The story, told from memory." in page(client, session)
    post(client, "room_undo", session)
    assert "The story. Dana is telling it." in page(client, session)


def test_opening_goes_to_the_room(circle, client_of):
    session = make_session(circle, begins=30)
    client = client_of(circle.leader)
    assert client.post(address("room_open", session)).url == address("room", session)
    assert "Arriving. There is time." in page(client, session)


# Asking


def ask(client, session, **shown):
    return client.get(address("room_now", session), shown, headers={"hx-request": "true"})


def shown(client, session):
    asking = cut(page(client, session), "/room/now/?", '"')[11:-1]
    return dict(pair.split("=") for pair in asking.replace("&amp;", "&").split("&"))


def test_while_nothing_changed_a_screen_hears_nothing(circle, client_of):
    session = tell(circle, phase=Phase.GROUP_WORK).session
    for who in ("leader", "member", "presenter"):
        client = client_of(getattr(circle, who))
        assert ask(client, session, **shown(client, session)).status_code == 204


def test_after_a_step_a_screen_hears_of_it(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    client = client_of(circle.member)
    saw = shown(client, session)
    move(session, Phase.STORY, circle.leader)
    answer = ask(client, session, **saw)
    assert "The story, told from memory." in answer.content.decode()
    assert "step=2" in answer.content.decode()


def test_when_somebody_comes_only_the_circle_changes(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    client = client_of(circle.leader)
    saw = shown(client, session)
    enter(session, circle.absent)
    text = ask(client, session, **saw).content.decode()
    assert "innerHTML:#circle" in text
    assert "innerHTML:#steps" not in text


def test_the_thin_line_moves_with_the_minute(circle):
    session = make_session(circle)
    looks = [
        strip.Look(
            session=session,
            member=circle.member,
            at=session.starts_at + timedelta(minutes=minutes),
            leads=False,
            here=frozenset(),
            telling=None,
        )
        for minutes in (-5, 0, 0.9, 44, 90, 200)
    ]
    assert [look.minute for look in looks] == [0, 0, 0, 44, 90, 90]
    assert len({look.mark for look in looks}) == 3


def test_a_screen_of_another_kind_is_loaded_anew(circle, client_of):
    session = tell(circle).session
    client = client_of(circle.presenter)
    saw = shown(client, session)
    move(session, Phase.GROUP_WORK, circle.leader)
    assert ask(client, session, **saw).headers["HX-Refresh"] == "true"


def test_whoever_left_elsewhere_is_led_out(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    client = client_of(circle.member)
    saw = shown(client, session)
    post(client, "room_leave", session)
    answer = ask(client, session, **saw)
    assert answer.headers["HX-Redirect"] == reverse("session", args=[session.pk])


def test_when_it_ends_every_screen_is_loaded_anew(circle, client_of):
    session = at_phase(circle, Phase.CLOSING)
    client = client_of(circle.member)
    saw = shown(client, session)
    with as_owner():
        RoomPresence.objects.update(seen_at=soon(-5))
    move(session, Phase.CLOSED, circle.leader)
    assert ask(client, session, **saw).headers["HX-Refresh"] == "true"


def test_an_ended_sign_in_or_membership_is_seen_at_the_next_question(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    client = client_of(circle.member)
    saw = shown(client, session)
    with as_owner():
        Session.objects.update(runs_until=soon(-1))
        circle.group.memberships.filter(member=circle.member).update(ended_at=soon(-1))
    assert ask(client, session, **saw).status_code == 404


@pytest.mark.parametrize("phase", [Phase.CALL, Phase.GROUP_WORK])
def test_asking_costs_the_same_for_two_in_the_room_as_for_twelve(
    circle, client_of, phase, django_assert_max_num_queries
):
    session = tell(circle, phase=Phase.GROUP_WORK).session
    if phase is Phase.CALL:
        move(session, phase, circle.leader)
    client = client_of(circle.member)
    saw = shown(client, session)
    with django_assert_max_num_queries(12) as few:
        assert ask(client, session, **saw).status_code == 204
    enter(session, circle.second_leader, circle.absent)
    saw = shown(client, session)
    with django_assert_max_num_queries(12) as many:
        assert ask(client, session, **saw).status_code == 204
    assert len(few) == len(many)


@pytest.mark.parametrize("who", ["leader", "member", "presenter"])
def test_the_room_asks_as_often_for_a_large_circle(
    circle, client_of, who, django_assert_max_num_queries
):
    session = tell(circle, phase=Phase.GROUP_WORK).session
    client = client_of(getattr(circle, who))
    counts = []
    for _round in range(2):
        with django_assert_max_num_queries(40) as asked:
            client.get(address("room", session))
        counts.append(len(asked))
        for _number in range(5):
            person = make_member()
            join(circle.group, person, since=soon(-60 * 24))
            enter(session, person)
    assert counts[0] == counts[1]


# The link


def link(session, member):
    with as_member(member):
        return whereabouts.join_link(session, member, timezone.now())


@pytest.mark.parametrize("begins", [60, 16, 14, -20, -60 * 13])
def test_the_link_is_for_the_circle_from_15_minutes_before_and_for_leaders_always(circle, begins):
    with as_owner():
        Entrance.objects.create(group=circle.group, join_link="https://call.example/valley")
    session = make_session(circle, begins=begins)
    seen = {who: bool(link(session, getattr(circle, who))) for who in PERSONAS}
    members = {"presenter", "member", "absent"} if -60 * 12 < begins < 15 else set()
    leaders = LEADERS if begins > -60 * 12 else set()
    assert {who for who, sees in seen.items() if sees} == members | leaders


@pytest.mark.parametrize(
    "fields", [{"setting": "in_person"}, {"phase": "closed"}, {"phase": "cancelled"}]
)
def test_there_is_no_link_in_person_nor_afterwards(circle, fields):
    with as_owner():
        Entrance.objects.create(group=circle.group, join_link="https://call.example/valley")
    assert link(make_session(circle, **fields), circle.leader) == ""


def test_who_left_the_group_during_the_meeting_keeps_the_link_till_the_morning(circle):
    with as_owner():
        Entrance.objects.create(group=circle.group, join_link="https://call.example/valley")
        circle.group.memberships.filter(member=circle.member).update(ended_at=timezone.now())
    assert link(make_session(circle), circle.member) == "https://call.example/valley"


def test_the_strip_shows_the_link(circle, client_of):
    with as_owner():
        Entrance.objects.create(group=circle.group, join_link="https://call.example/valley")
    for who in ("leader", "member"):
        text = page(client_of(getattr(circle, who)), make_session(circle))
        assert 'href="https://call.example/valley"' in text


# The database alone


def test_rooms_and_steps_are_seen_by_their_circle_alone(circle):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.member)
    move(session, Phase.STORY, circle.leader)
    seen = {}
    for who in PERSONAS:
        with as_member(getattr(circle, who)):
            seen[who] = (RoomPresence.objects.count(), session.steps.count())
    assert {who for who, counts in seen.items() if counts == (2, 1)} == INSIDE
    assert {counts for who, counts in seen.items() if who not in INSIDE} == {(0, 0)}


def test_nobody_enters_for_another_or_past_the_door(circle):
    session = at_phase(circle, Phase.CALL)
    with as_owner():
        Leave.objects.filter(member=circle.on_leave).update(starts_at=soon(-60 * 24))
    pairs = [(who, who) for who in PERSONAS if who not in INSIDE] + [("member", "absent")]
    for who, whom in pairs:
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            as_member(getattr(circle, who)),
        ):
            RoomPresence.objects.create(
                session=session,
                group=circle.group,
                member=getattr(circle, whom),
                entered_at=timezone.now(),
                seen_at=timezone.now(),
            )


def test_the_own_case_is_the_only_one_forgotten_in_a_room(circle, client_of):
    case = tell(circle)
    for who in ("leader", "member", "absent"):
        assert post(client_of(getattr(circle, who)), "room_forget", case.session).status_code == 404
    with as_member(circle.member):
        assert cases.of_session(case.session, circle.member, timezone.now()) == [case]


@pytest.mark.parametrize("phase", [Phase.PLANNED, Phase.CALL, Phase.GROUP_WORK])
def test_every_screen_stays_awake_says_changes_politely_and_makes_no_sound(
    circle, client_of, phase
):
    session = (
        tell(circle, phase=phase).session
        if phase == Phase.GROUP_WORK
        else make_session(circle, phase=phase)
    )
    for who in ("leader", "member", "presenter"):
        text = page(client_of(getattr(circle, who)), session)
        assert "js/wake.js" in text
        assert "<audio" not in text
        assert "assertive" not in text
        still = (who, phase) == ("presenter", Phase.GROUP_WORK)
        assert ('id="sentence" class="say centre" aria-live="polite"' in text) is not still
        assert ("aria-live" in text) is not still
