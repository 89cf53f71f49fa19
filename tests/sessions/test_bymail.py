"""“I can't come” from a letter: no sign-in, no cookie, nothing by looking, an end at the start."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from members import limits
from members.models import Letter, Member
from sessions import answerlinks, reminders
from sessions.models import Answer, Session
from sessions.phases import Phase
from tests.sessions.meetings import cannot_come, in_days
from tests.sessions.round import let_days_pass
from tests.world import as_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(circle) -> Session:
    return in_days(circle.group, 12)


def path(session, member) -> str:
    return f"/answer/{answerlinks.token(session, member)}/"


def say(session, member, word="no", client=None):
    return (client or Client()).post(path(session, member), {"coming": word})


def answers() -> list[tuple[Member, str]]:
    with as_owner():
        return [(row.member, row.reason) for row in Answer.objects.select_related("member")]


def test_the_page_shows_alias_and_time_and_nothing_else_of_the_group(circle, session):
    page = Client().get(path(session, circle.absent)).content.decode()
    assert "Valley" in page
    assert "19:30–21:00, Jerusalem time" in page
    assert "London time" in page
    for hidden in ("Valley group", "Kfar Vitkin", "Ruth", "Owen", str(session.pk)):
        assert hidden not in page


def test_looking_changes_nothing_however_often_a_scanner_opens_it(circle, session):
    for method in ("get", "head", "get"):
        assert getattr(Client(), method)(path(session, circle.member)).status_code == 200
    assert answers() == []


def test_one_click_says_no_and_one_takes_it_back(circle, session):
    said = say(session, circle.member).content.decode()
    assert "The leaders will know that you cannot come." in said
    assert answers() == [(circle.member, "")]
    assert "The group expects you." in say(session, circle.member, "yes").content.decode()
    assert answers() == []


def test_reminders_stop_with_it_and_come_back_with_it(circle, session):
    with as_owner():
        reminders.sync(session, at=timezone.now())

    def waiting():
        with as_owner():
            return Letter.objects.filter(recipient=circle.member, state="pending").count()

    counted = [waiting()]
    for word in ("no", "yes"):
        say(session, circle.member, word)
        counted.append(waiting())
    assert counted == [2, 0, 2]


def test_the_link_itself_tells_nobody_what_was_answered(circle, session):
    before = Client().get(path(session, circle.member)).content
    say(session, circle.member)
    assert Client().get(path(session, circle.member)).content == before


def test_a_word_to_the_leaders_stays_when_no_is_said_again_by_mail(circle, session):
    cannot_come(session, circle.member, "A night on call")
    say(session, circle.member)
    assert answers() == [(circle.member, "A night on call")]


def test_no_cookie_is_read_or_set_and_whoever_is_signed_in_the_token_speaks(
    circle, session, client_of
):
    browser = client_of(circle.outsider)
    for answer in (
        browser.get(path(session, circle.member)),
        say(session, circle.member, client=browser),
    ):
        assert not answer.cookies
        assert "Vary" not in answer.headers
        assert answer.content.decode().count("csrf") == 0
    assert [member for member, _ in answers()] == [circle.member]


def test_a_click_needs_no_token_of_a_form(circle, session):
    assert say(session, circle.member, client=Client(enforce_csrf_checks=True)).status_code == 200


def test_a_click_that_says_neither_is_looked_at_only(circle, session):
    assert say(session, circle.member, "perhaps").status_code == 200
    assert answers() == []


def over(session, **fields) -> None:
    with as_owner():
        Session.objects.filter(pk=session.pk).update(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"phase": Phase.CANCELLED},
        {"phase": Phase.ARRIVING},
        {"settled_at": None},
        {"opened_at": timezone.now() - timedelta(minutes=1)},
        {"starts_at": timezone.now() + timedelta(days=30)},
    ],
)
def test_it_dies_when_the_session_is_off_open_or_on_another_day(circle, session, fields):
    there = path(session, circle.member)
    over(session, **fields)
    assert [
        Client().get(there).status_code,
        Client().post(there, {"coming": "no"}).status_code,
    ] == [
        404,
        404,
    ]
    assert answers() == []


def test_it_dies_at_the_start(circle, session):
    there = path(session, circle.member)
    let_days_pass(14)
    assert Client().get(there).status_code == 404


def test_a_change_of_hour_on_the_same_day_keeps_it(circle, session):
    there = path(session, circle.member)
    over(session, starts_at=session.starts_at + timedelta(hours=1))
    assert Client().get(there).status_code == 200


@pytest.mark.parametrize("who", ["former", "on_leave", "newcomer", "outsider", "admin"])
def test_it_opens_for_nobody_the_group_does_not_expect(circle, session, who):
    member = getattr(circle, who)
    gone = Client().get(path(session, member))
    assert gone.status_code == 404
    assert say(session, member).content == gone.content
    assert answers() == []


def test_nobody_answers_for_another_person_or_another_session(circle, session):
    other = in_days(circle.group, 40)
    ids, proof = answerlinks.token(session, circle.member).split(".")
    for foreign in (
        answerlinks.token(session, circle.absent),
        answerlinks.token(other, circle.member),
    ):
        assert Client().get(f"/answer/{foreign.split('.')[0]}.{proof}/").status_code == 404
    for forged in (f"{ids}.", ids, f"{ids}.{proof[:-1]}", "no.token", f"é{ids}.{proof}"):
        assert Client().get(f"/answer/{forged}/").status_code == 404


def test_a_closed_account_answers_nothing(circle, session):
    with as_owner():
        Member.objects.filter(pk=circle.member.pk).update(is_active=False)
    assert Client().get(path(session, circle.member)).status_code == 404


def test_clicking_has_an_end(circle, session, monkeypatch):
    monkeypatch.setitem(limits.RATES, "by_mail", "2/h/key")
    clicks = [say(session, circle.member, word).status_code for word in ("no", "yes", "no")]
    assert clicks == [200, 200, 429]
    assert say(session, circle.absent).status_code == 200
