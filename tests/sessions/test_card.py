"""The card to print: the group's phases and times, its own words, and whose it is."""

import pytest
from django.urls import reverse

from sessions import conduct, phases
from sessions.phases import Phase
from tests.sessions.evening import at_phase, make_session
from tests.world import as_owner

pytestmark = pytest.mark.reads_context
WORDS = {"follow_up_words": "What became of it?", "call_words": "Who would like to tell?"}


def with_(circle, **fields) -> None:
    with as_owner():
        for name, value in fields.items():
            setattr(circle.group, name, value)
        circle.group.save()


def card_of(circle, client_of, who: str = "leader", **fields):
    session = make_session(circle, begins=60, **fields)
    return client_of(getattr(circle, who)).get(reverse("card", args=[session.pk]))


def test_the_card_asks_in_the_groups_own_words(circle, client_of):
    with_(circle, **WORDS)
    assert card_of(circle, client_of).context["questions"] == list(WORDS.values())


def test_a_question_whose_phase_takes_no_minutes_is_not_on_the_card(circle, client_of):
    with_(circle, evening="fishbowl")
    answer = card_of(circle, client_of)
    assert answer.context["questions"] == ["Who has a case?"]
    assert "Follow-up" not in [str(name) for _times, name in answer.context["lines"]]


def test_the_card_follows_the_groups_template(circle, client_of):
    with_(circle, evening="90-two")
    names = [str(name) for _times, name in card_of(circle, client_of).context["lines"]]
    assert names.count("The story") == 2


@pytest.mark.parametrize("keeps_time", [True, False])
def test_where_one_of_the_group_keeps_time_every_member_has_the_card(circle, client_of, keeps_time):
    with_(circle, keeps_time=keeps_time)
    session = make_session(circle, begins=60)
    card, client = reverse("card", args=[session.pk]), client_of(circle.member)
    assert client.get(card).status_code == (200 if keeps_time else 404)
    assert (
        card in client.get(reverse("session", args=[session.pk])).content.decode()
    ) == keeps_time
    if keeps_time:
        page = client.get(card).content.decode()
        assert "Keeps time:" in page
        assert reverse("before", args=[session.pk]) not in page


@pytest.mark.parametrize(
    ("who", "status"), [("newcomer", 302), ("on_leave", 404), ("former", 404), ("admin", 404)]
)
def test_it_is_nobody_elses_card(circle, client_of, who, status):
    with_(circle, keeps_time=True)
    assert card_of(circle, client_of, who).status_code == status


@pytest.mark.parametrize(
    ("phase", "sentence"),
    [
        (Phase.FOLLOW_UP, "Follow-up. What became of it?"),
        (Phase.CALL, "The call. Who would like to tell?"),
        (Phase.STORY, "The story, told from memory."),
    ],
)
def test_the_strip_asks_in_the_same_words(circle, client_of, phase, sentence):
    with_(circle, **WORDS)
    assert phases.sentence(phase, switches=conduct.switches_of(circle.group)) == sentence
    session = at_phase(circle, phase)
    page = client_of(circle.member).get(reverse("room", args=[session.pk])).content.decode()
    assert sentence in page
