"""What letters about a meeting carry for calendars: an entry put in, changed, and taken out."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from groups.models import Group
from members.letters import mail, outbox
from members.letters.kinds import CalendarFile, Message, kind_of
from members.models import Letter
from sessions import ics
from sessions.letters import NOTICES
from sessions.models import CalendarFeed
from sessions.phases import Phase
from sessions.planning import cancel, move, restore
from tests.sessions.files import instants, one, other, unfolded, values
from tests.sessions.meetings import in_days
from tests.sessions.round import mail_about, make_round, make_series, send
from tests.world import as_member, as_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours():
    return make_round()


def calendar_of(mail) -> bytes:
    """The form that calendars apply; the file beside it holds the same."""
    (form,) = (part for part in mail.walk() if part.get_content_type() == "text/calendar")
    (file,) = mail.iter_attachments()
    content = file.get_content()
    assert form.get_content().replace("\r\n", "\n").encode() == content.replace(b"\r\n", b"\n")
    assert form.get_param("method") == values(content, "METHOD")[0]
    assert form.get_param("charset") == "utf-8"
    assert (file.get_content_type(), file.get_filename()) == ("application/ics", "invite.ics")
    return content


def told(ours, change) -> bytes:
    """The calendar part of the one mail that a member gets about a change."""
    with as_member(ours.leader):
        change()
    mails = {str(mail["To"]): mail for mail in send()}
    return calendar_of(mails[ours.members[0].email])


FILE = ["application/ics"]
WORDS = ["text/plain", "text/html"]
SETTINGS = "/settings/calendar/"


def lines(content: bytes, *names: str) -> list[str]:
    return [line for line in unfolded(content) if line.split(":")[0].split(";")[0] in names]


def test_a_reminder_invites_to_what_the_feed_shows_and_names_its_reader_alone(ours):
    session = in_days(ours.group, 5, sequence=2)
    reader = ours.members[0]
    content = calendar_of(mail_about(session, "reminder-1", reader))
    assert values(content, "METHOD") == ["REQUEST"]
    assert lines(content, "ORGANIZER", "ATTENDEE") == [
        f"ATTENDEE;RSVP=FALSE:mailto:{reader.email}",
        "ORGANIZER;CN=Valley:mailto:balint@balint.test",
    ]
    entry, shown = (
        unfolded(file.split(b"VEVENT")[1]) for file in (content, ics.published([session]))
    )
    assert [line for line in entry if not line.startswith(("ATTENDEE", "ORGANIZER"))] == shown
    assert instants(content) == [(session.starts_at, session.ends_at)]


def test_a_move_a_cancellation_and_its_undoing_change_one_and_the_same_entry(ours):
    session = in_days(ours.group, 20)
    leader, now = ours.leader, timezone.now()
    later = session.starts_at + timedelta(days=1)
    moved = told(ours, lambda: move(session, starts_at=later, by=leader, at=now))
    cancelled = told(ours, lambda: cancel(session, by=leader, at=now))
    restored = told(ours, lambda: restore(session, by=leader, at=now))
    files = [moved, cancelled, restored]
    assert [values(file, "METHOD")[0] for file in files] == ["REQUEST", "CANCEL", "REQUEST"]
    assert [values(file, "SEQUENCE")[0] for file in files] == ["1", "2", "3"]
    assert {values(file, "UID")[0] for file in files} == {f"session-{session.uid}@testserver"}
    assert [values(file, "STATUS")[0] for file in files] == ["CONFIRMED", "CANCELLED", "CONFIRMED"]
    assert {instants(file)[0][0] for file in files} == {later}


@pytest.mark.parametrize("kind", ["reminder-7", *sorted(NOTICES)])
def test_both_readers_understand_every_file(ours, kind):
    phase = Phase.CANCELLED if kind == "cancelled" else Phase.PLANNED
    session = in_days(ours.group, 40, sequence=1, phase=phase)
    content = calendar_of(mail_about(session, kind, ours.leader))
    (first,), (second,) = one(content), other(content)
    assert first.attendee.value == f"mailto:{ours.leader.email}"
    assert [attendee.uri for attendee in second.attendees] == [f"mailto:{ours.leader.email}"]
    assert second.organizer.uri == "mailto:balint@balint.test"
    assert (first.sequence.value, second.sequence) == ("1", 1)


def test_the_organizer_is_the_bare_address_letters_come_from(ours):
    session = in_days(ours.group, 5)
    with as_owner():
        Group.objects.update(alias="Valley; “3, rue”")
    session.group.refresh_from_db()
    with override_settings(DEFAULT_FROM_EMAIL="Balint groups <letters@balint.example>"):
        content = ics.invitation(session, "dana@example.org")
    assert lines(content, "ORGANIZER") == [
        'ORGANIZER;CN="Valley; “3, rue”":mailto:letters@balint.example'
    ]


def test_what_a_calendar_is_told_holds_no_name_no_reason_and_no_page(ours):
    session = in_days(ours.group, 5)
    now, leader = timezone.now(), ours.leader
    content = told(ours, lambda: cancel(session, reason="Ruth is ill", by=leader, at=now))
    text = content.decode()
    for hidden in ("Ruth", "ill", "Marrow", "http", "Amit", "DESCRIPTION", str(session.pk)):
        assert hidden not in text
    assert text.count("ATTENDEE") == 1
    assert not {line.split(":")[0] for line in unfolded(content)} & {"URL", "VALARM", "COMMENT"}


def test_the_same_letter_tried_again_carries_the_same_file(ours):
    session = in_days(ours.group, 5)
    assert len({ics.invitation(session, "dana@example.org") for _ in range(3)}) == 1


@pytest.mark.parametrize(
    ("calendar", "forms"),
    [
        (None, ["multipart/alternative", "text/plain", "text/html"]),
        # Dates to look at are a file alone: an invitation is for one meeting.
        (
            CalendarFile("PUBLISH", b"BEGIN:VCALENDAR"),
            ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", *FILE],
        ),
    ],
)
def test_other_letters_carry_nothing_to_apply(calendar, forms):
    letter = Letter(address="dana@example.org", message_id="<1@balint.test>")
    built = mail.build(letter, Message("Dates", "Dates.", "<p>Dates.</p>", calendar)).message()
    assert [part.get_content_type() for part in built.walk()] == forms


KINDS_OF_MAIL = ["reminder-1", *sorted(NOTICES), "dates"]


@pytest.mark.parametrize("kind", KINDS_OF_MAIL)
def test_without_calendar_entries_a_mail_is_the_same_but_for_them(ours, kind):
    phase = Phase.CANCELLED if kind == "cancelled" else Phase.PLANNED
    settled_at = timezone.now() - timedelta(days=1)
    series = make_series(ours.group)
    session = in_days(ours.group, 40, sequence=1, phase=phase, series=series, settled_at=settled_at)
    about = series if kind == "dates" else session
    reader = ours.members[0]
    letter = outbox.letter(
        kind,
        about=about.pk,
        version=1,
        group_id=ours.group.pk,
        recipient=reader,
        send_after=settled_at,
    )
    known = kind_of(letter)
    assert known is not None
    with as_member(None, "balint_worker"):
        said = known.compose(letter)
    assert said.calendar is not None
    with_entries = list(mail.build(letter, said).message().walk())
    reader.calendar_mail = False
    without = list(mail.build(letter, said).message().walk())
    assert [part.get_content_type() for part in without] == ["multipart/alternative", *WORDS]
    words = [part for part in with_entries if part.get_content_type() in WORDS]
    assert [part.get_payload() for part in words] == [part.get_payload() for part in without[1:]]


def test_a_person_chooses_whether_mails_carry_entries_and_keeps_their_address(ours, client_of):
    session, client = in_days(ours.group, 5), client_of(ours.members[0])
    page = client.get(SETTINGS).content.decode()
    assert 'name="calendar_mail"' in page
    assert "checked" in page
    made = CalendarFeed.objects.filter(member=ours.members[0])
    client.post(SETTINGS)
    token = made.get().token_hash
    page = client.post(SETTINGS, {"do": "mails"}, follow=True).content.decode()
    assert "Saved." in page
    assert "checked" not in page
    assert made.get().token_hash == token
    told = mail_about(session, "reminder-1", ours.members[0])
    assert [part.get_content_type() for part in told.walk()] == ["multipart/alternative", *WORDS]
    assert calendar_of(mail_about(session, "reminder-1", ours.leader))
    client.post(SETTINGS, {"do": "mails", "calendar_mail": "on"})
    assert "checked" in client.get(SETTINGS).content.decode()


def test_the_letter_with_all_dates_holds_them_in_one_file_cancelled_ones_too(ours):
    settled_at = timezone.now() - timedelta(days=1)
    series = make_series(ours.group)
    shown = [in_days(ours.group, days, series=series, settled_at=settled_at) for days in (9, 40)]
    off: dict[str, Any] = {
        "series": series,
        "settled_at": settled_at,
        "phase": Phase.CANCELLED,
        "sequence": 1,
    }
    shown.append(in_days(ours.group, 70, **off))
    in_days(ours.group, 100, series=series, settled_at=None)
    letter = outbox.letter(
        "dates",
        about=series.pk,
        version=series.revision,
        group_id=ours.group.pk,
        recipient=ours.members[0],
        send_after=timezone.now() - timedelta(minutes=1),
    )
    with as_owner():
        outbox.plan([letter])
    (told,) = send()
    (file,) = told.iter_attachments()
    assert (file.get_content_type(), file.get_filename()) == ("application/ics", "dates.ics")
    assert file.get_content() == ics.published(shown)
    assert "text/calendar" not in {part.get_content_type() for part in told.walk()}
