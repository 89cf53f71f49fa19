"""The letter about a group's dates as a whole: whom it reaches, when, and what it says."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage

import pytest
from django.utils import timezone

from groups.cadence import Break, Cadence, Rule, Unit
from groups.models import Leave
from members.models import Letter, LetterState, Member
from sessions import planning
from sessions.models import Series, Session
from sessions.planning import letters as of_dates
from tests.sessions.round import Round, mail_about, make_round, recipients, send, text_of
from tests.world import as_member, as_owner, utc

pytestmark = pytest.mark.django_db
EVERY_FOURTH_THURSDAY = Rule(Unit.WEEK, 4, weekday=3)


@pytest.fixture
def ours(db: None) -> Round:
    """Nine people without quiet hours, one of them away for good."""
    ours = make_round()
    with as_owner():
        Member.objects.update(quiet_from=time(0), quiet_until=time(0))
    return ours


def rhythm(first_on: date, months: int = 4) -> Cadence:
    """So many months from the first Thursday, and that one."""
    first_on += timedelta(days=(3 - first_on.weekday()) % 7)
    last_on = first_on + timedelta(days=28 * months)
    return Cadence(EVERY_FOURTH_THURSDAY, time(19, 30), 90, "Europe/London", first_on, last_on)


def plan(
    ours: Round, cadence: Cadence | None = None, place: str = "Library", at: datetime | None = None
) -> Series:
    at = at or timezone.now()
    cadence = cadence or rhythm((at + timedelta(days=3)).date())
    with as_member(ours.leader):
        return planning.plan_year(ours.group, cadence, place, by=ours.leader, at=at)


def dates(ours: Round) -> list[Session]:
    with as_owner():
        return list(Session.objects.filter(group=ours.group).order_by("starts_at"))


def end(ours: Round, series: Series, last_on: date, at: datetime | None = None) -> None:
    with as_member(ours.leader):
        series = Series.objects.select_related("group").get(pk=series.pk)
        planning.end_series(series, last_on, by=ours.leader, at=at or timezone.now())


def known(session: Session) -> Session:
    return Session.objects.select_related("group", "series").get(pk=session.pk)


def letters(member: Member) -> list[tuple[str, int]]:
    """The state and version of each letter with all dates to this person."""
    with as_owner():
        rows = Letter.objects.filter(kind=of_dates.DATES, recipient=member)
        return sorted(rows.values_list("state", "about_version"))


def lines(text: str) -> list[str]:
    """Those with a date."""
    return [line for line in text.splitlines() if "London time" in line]


def test_where_no_date_is_left_everyone_is_told_so(ours: Round):
    series = plan(ours)
    first = recipients(send())
    end(ours, series, timezone.now().date())
    mails = send()
    assert recipients(mails) == first
    text = text_of(mails[0])
    assert "At present no date is settled." in text
    assert "meets on:" not in text


def test_whoever_is_expected_only_on_dates_that_go_is_told(ours: Round):
    plan(ours)
    send()
    first, second, third, *_rest = dates(ours)
    leaving = ours.members[0]
    with as_owner():
        leaving.memberships.update(ended_at=third.starts_at - timedelta(days=1))
        series = Series.objects.get()
    pause = Break(first.starts_at.date(), second.starts_at.date(), "half-term")
    plan(ours, replace(planning.plan_of(series).cadence, breaks=(pause,)))
    assert leaving.email in recipients(send())


def test_whose_waiting_letter_is_replaced_gets_the_new_one(ours: Round):
    away = ours.members[0]
    with as_owner():
        Member.objects.update(quiet_from=time(22), quiet_until=time(7))
    day = (timezone.now() + timedelta(days=1)).date()
    night = datetime.combine(day, time(23, 30), UTC)
    series = plan(ours, rhythm(day + timedelta(days=3), 6), at=night)
    last = dates(ours)[4]
    with as_owner():
        Leave.objects.create(
            group=ours.group, member=away, starts_at=last.starts_at - timedelta(days=1)
        )
    end(ours, series, last.starts_at.date() - timedelta(days=1), night + timedelta(minutes=10))
    assert letters(away) == [(LetterState.CANCELLED, 1), (LetterState.PENDING, 2)]
    assert letters(ours.members[1]) == letters(away)


def test_a_letter_of_two_rhythms_in_one_night_is_one_letter(ours: Round):
    with as_owner():
        Member.objects.update(quiet_from=time(22), quiet_until=time(7))
    day = (timezone.now() + timedelta(days=1)).date()
    night = datetime.combine(day, time(23, 30), UTC)
    plan(ours, rhythm(day + timedelta(days=3), 2), at=night)
    plan(ours, rhythm(day + timedelta(days=100), 2), at=night + timedelta(minutes=10))
    assert letters(ours.leader) == [(LetterState.CANCELLED, 1), (LetterState.PENDING, 1)]


def test_a_changed_date_is_told_before_it_would_have_begun(ours: Round):
    far, thursday = ours.members[0], date(2026, 12, 3)
    with as_owner():
        Member.objects.filter(pk=far.pk).update(
            time_zone="Australia/Sydney", quiet_from=time(22), quiet_until=time(7)
        )
    six = replace(rhythm(thursday), starts_at=time(18))
    plan(ours, six, at=utc(2026, 11, 20, 12))
    with as_owner():
        Letter.objects.filter(kind=of_dates.DATES).update(state=LetterState.SENT)
    at, first = utc(2026, 12, 3, 14), dates(ours)[0]
    with as_member(ours.leader):
        first = known(first)
        later = replace(six, starts_at=time(20, 30))
        planning.plan_following(first, later, "Library", by=ours.leader, at=at)
    with as_owner():
        letter = Letter.objects.get(kind=of_dates.DATES, recipient=far, state=LetterState.PENDING)
    assert letter.send_after == at


def test_a_letter_says_the_place_once_where_all_dates_have_it(ours: Round):
    series = plan(ours)
    send()
    plan(ours, planning.plan_of(series).cadence, "Garden house, room 2")
    text = text_of(send()[0])
    assert text.count("Place: Garden house, room 2") == 1
    assert [line.split("London time")[1] for line in lines(text)] == [" – changed"] * 5


def test_where_one_date_is_elsewhere_each_says_its_place(ours: Round):
    series = plan(ours)
    send()
    second = dates(ours)[1]
    with as_member(ours.leader):
        planning.move(second, place="Cellar", by=ours.leader, at=timezone.now())
    send()
    with as_owner():
        Session.objects.filter(pk=second.pk).update(updated_at=timezone.now() - timedelta(hours=2))
        Letter.objects.update(planned_at=timezone.now() - timedelta(hours=2))
    plan(ours, replace(planning.plan_of(series).cadence, minutes=120), "https://call.example/1")
    mails = [mail for mail in send() if str(mail["Subject"]).endswith("some dates have changed")]
    text = text_of(mails[0])
    assert text.count("call.example") == 0
    assert [line.split("London time")[1] for line in lines(text)] == [
        " – changed",
        ", Cellar – changed",
        *[" – changed"] * 3,
    ]


def test_a_longer_rhythm_marks_what_is_new(ours: Round):
    series = plan(ours, rhythm((timezone.now() + timedelta(days=3)).date(), 2))
    send()
    cadence = planning.plan_of(series).cadence
    first, second, _third = dates(ours)
    pause = Break(first.starts_at.date(), second.starts_at.date(), "half-term")
    last_on = cadence.last_on + timedelta(days=28)
    plan(ours, replace(cadence, last_on=last_on, breaks=(pause,)))
    text = text_of(send()[0])
    stands, gone = text.split("There is no longer a meeting on:")
    assert [line.split("London time")[1] for line in lines(stands)] == ["", " – new"]
    assert len(lines(gone)) == 2


def test_what_changed_in_a_letter_that_never_went_is_marked_in_the_next(ours: Round):
    series = plan(ours, rhythm((timezone.now() + timedelta(days=20)).date()))
    send()
    cadence = planning.plan_of(series).cadence
    first, second, _third, fourth, _fifth = dates(ours)
    pause = Break(first.starts_at.date(), second.starts_at.date(), "half-term")
    plan(ours, replace(cadence, breaks=(pause,)))
    end(ours, series, fourth.starts_at.date() - timedelta(days=1))
    text = text_of(send()[0])
    gone = text.split("There is no longer a meeting on:")[1]
    assert len(lines(gone)) == 4
    assert "There is no meeting on:" not in text


def test_of_a_settled_rhythm_made_longer_everyone_hears(ours: Round):
    series = plan(ours)
    first = recipients(send())
    cadence = planning.plan_of(series).cadence
    plan(ours, replace(cadence, last_on=cadence.last_on + timedelta(days=28)))
    mails = send()
    assert recipients(mails) == first
    assert str(mails[0]["Subject"]) == "Valley: the dates"


def methods(mails: list[EmailMessage]) -> list[str]:
    found = [part for mail in mails for part in mail.walk()]
    files = [part for part in found if part.get_content_type() == "text/calendar"]
    return sorted(str(part.get_param("method")) for part in files)


def test_an_entry_that_came_by_mail_is_taken_out_by_a_mail_of_its_own(ours: Round):
    series = plan(ours)
    send()
    first, second, *_rest = dates(ours)
    reader, without = ours.members[:2]
    for person in (reader, without):
        mail_about(second, "reminder-3", person)
    with as_owner():
        Member.objects.filter(pk=without.pk).update(calendar_mail=False)
    end(ours, series, first.starts_at.date())
    mails = send()
    assert methods(mails) == ["CANCEL"]
    own = [mail for mail in mails if mail["To"] == reader.email]
    said = "Dates that are in your calendar from an earlier mail come in a mail each"
    assert [said in text_of(mail) for mail in own].count(True) == 1
    assert not any(said in text_of(mail) for mail in mails if mail["To"] != reader.email)


def test_an_entry_of_a_date_that_changes_with_others_is_put_right(ours: Round):
    series = plan(ours)
    send()
    mail_about(dates(ours)[0], "reminder-3", ours.members[0])
    plan(ours, replace(planning.plan_of(series).cadence, minutes=120))
    assert methods(send()).count("REQUEST") == 1


@pytest.fixture
def asked(ours: Round) -> list[Session]:
    """Five proposed dates, of which everyone is asked which they cannot."""
    with as_member(ours.leader):
        cadence = rhythm((timezone.now() + timedelta(days=3)).date())
        planning.plan_year(
            ours.group, cadence, "Library", by=ours.leader, at=timezone.now(), propose=True
        )
    return dates(ours)


def follow(ours: Round, session: Session, starts_at: time) -> None:
    with as_member(ours.leader):
        session = known(session)
        plan = planning.plan_from(session)
        later = replace(plan.cadence, starts_at=starts_at)
        planning.plan_following(session, later, plan.place, by=ours.leader, at=timezone.now())


def test_of_the_later_part_of_proposed_dates_only_that_part_is_asked_anew(
    ours: Round, asked: list[Session]
):
    first = send()
    assert len(lines(text_of(first[0]))) == 5
    follow(ours, asked[3], time(20))
    again = send()
    assert recipients(again) == recipients(first)
    assert [line.split(",")[1] for line in lines(text_of(again[0]))] == [" 20:00–21:30"] * 2


def test_a_question_that_waits_is_one_about_all_proposed_dates(ours: Round, asked: list[Session]):
    follow(ours, asked[3], time(20))
    mails = send()
    assert recipients(mails) == sorted(set(recipients(mails)))
    assert len(lines(text_of(mails[0]))) == 5


def test_the_later_part_of_proposed_dates_saved_untouched_asks_nobody(
    ours: Round, asked: list[Session]
):
    send()
    follow(ours, asked[3], time(19, 30))
    assert send() == []
    with as_owner():
        assert Series.objects.filter(group=ours.group).count() == 1
