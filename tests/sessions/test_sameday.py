"""One reminder for somebody whose groups meet on the same day, and none that is lost by it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups import optout
from members.letters import outbox
from members.models import Letter, LetterState
from sessions import answerlinks
from sessions.models import Session
from tests.sessions.meetings import make_session
from tests.sessions.round import LONG_AGO, let_days_pass, send, sync, text_of
from tests.world import as_owner, join, make_group, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return make_member("Dr Amit Nader", time_zone="UTC", quiet_from="00:00", quiet_until="00:00")


@pytest.fixture
def evenings(person) -> list[Session]:
    """Two groups of one person, on the same day in some days, half an hour apart."""
    day = (timezone.now() + timedelta(days=5)).replace(hour=12, minute=0, second=0, microsecond=0)
    made = []
    for number, alias in enumerate(("Valley", "Harbour")):
        group = make_group(name=f"Group {number}", alias=alias, time_zone="UTC")
        join(group, make_member(f"Dr Lead {alias}", email=f"{alias}@lead.example"), "leader")
        join(group, person, since=LONG_AGO)
        session = make_session(group, day + timedelta(minutes=30 * number), place="Room 1")
        sync(session, at=timezone.now() - timedelta(days=30))
        made.append(session)
    return made


def make_due() -> None:
    """The reminders of the day before may go, and there are no others."""
    with as_owner():
        Letter.objects.exclude(kind="reminder-1").delete()
        Letter.objects.update(send_after=timezone.now() - timedelta(hours=1))


def to(person, mails):
    return [mail for mail in mails if mail["To"] == person.email]


def states(person) -> list[str]:
    with as_owner():
        rows = Letter.objects.filter(recipient=person, kind="reminder-1")
        return sorted(rows.values_list("state", flat=True))


def test_one_letter_names_both_and_each_has_its_own_way_to_say_no(person, evenings):
    make_due()
    (mail,) = to(person, send())
    said = text_of(mail)
    weekday = f"{evenings[0].starts_at:%A}"
    assert mail["Subject"] in {
        f"Valley · Harbour meet on {weekday}",
        f"Harbour · Valley meet on {weekday}",
    }
    for session in evenings:
        assert answerlinks.url(session, person) in said
    assert said.strip().endswith("Dr Lead Valley\nDr Lead Harbour") or said.strip().endswith(
        "Dr Lead Harbour\nDr Lead Valley"
    )
    assert states(person) == ["cancelled", "sent"]
    assert to(person, send()) == []


def test_one_click_stops_the_reminders_of_both(person, evenings):
    make_due()
    (mail,) = to(person, send())
    token = mail["List-Unsubscribe"].strip().split("/")[-2]
    with as_owner():
        reader = optout.read(token)
    assert reader is not None
    assert {group.pk for group in reader.groups} == {one.group_id for one in evenings}


def test_who_is_in_one_of_them_hears_of_that_one_alone(person, evenings):
    make_due()
    leads = [mail for mail in send() if mail["To"].endswith("@lead.example")]
    assert {mail["Subject"].split(" meet")[0] for mail in leads} == {"Valley", "Harbour"}


def test_another_day_is_another_letter(person, evenings):
    with as_owner():
        Session.objects.filter(pk=evenings[1].pk).update(
            starts_at=evenings[1].starts_at + timedelta(days=1)
        )
    make_due()
    assert len(to(person, send())) == 2


def test_two_meetings_of_one_group_are_two_letters(person, evenings):
    with as_owner():
        Letter.objects.update(group_id=evenings[0].group_id)
    make_due()
    assert len(to(person, send())) == 2


def test_what_one_cannot_come_to_is_not_named(person, evenings):
    with as_owner():
        outbox.cancel(about=evenings[1].pk, recipient=person)
    make_due()
    (mail,) = to(person, send())
    assert "Harbour" not in text_of(mail)


def test_a_letter_that_another_one_named_goes_by_itself_when_that_one_failed(person, evenings):
    make_due()
    with as_owner():
        first, second = Letter.objects.filter(recipient=person, kind="reminder-1")
        Letter.objects.filter(pk=second.pk).update(went_with=first.pk)
        Letter.objects.filter(pk=first.pk).update(state=LetterState.FAILED)
    (mail,) = to(person, send())
    assert mail["Message-ID"].strip() == second.message_id


def test_tried_again_it_lets_go_of_what_it_names_no_more(person, evenings):
    make_due()
    with as_owner():
        first, second = Letter.objects.filter(recipient=person, kind="reminder-1").order_by("pk")
        Letter.objects.filter(pk=second.pk).update(
            went_with=first.pk,
            state=LetterState.UNCERTAIN,
            not_before=timezone.now() + timedelta(1),
        )
        Letter.objects.filter(pk=first.pk).update(attempts=1)
    assert len(to(person, send())) == 1
    with as_owner():
        Letter.objects.filter(pk=second.pk).update(not_before=None)
        assert Letter.objects.get(pk=second.pk).went_with is None
    assert len(to(person, send())) == 1


def test_nothing_is_left_over_after_the_day(person, evenings):
    let_days_pass(6)
    assert to(person, send()) == []
