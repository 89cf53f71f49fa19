"""The mails as a mail program reads them: form, words, zones, and what they never say."""

import html
import re
from datetime import date, time, timedelta
from email.message import EmailMessage

import pytest
from django.utils import timezone

from groups import optout
from groups.cadence import instant
from groups.models import Acceptance, Agreement, Entrance, Group, Membership
from members.letters import outbox
from members.models import Letter, Member
from sessions import answerlinks
from sessions.letters import NOTICES, REMINDERS
from sessions.models import Session
from sessions.phases import Phase
from tests.sessions.meetings import cannot_come, change, make_session
from tests.sessions.round import mail_about, make_round, meeting, send, text_of
from tests.world import as_owner, make_member

pytestmark = pytest.mark.django_db

KINDS = (*REMINDERS.values(), *sorted(NOTICES))
YEAR = timezone.now().year + 1
# 19:30 in London on a Thursday of December, far enough ahead for every kind.
DAY = next(date(YEAR, 12, day) for day in range(10, 17) if date(YEAR, 12, day).isoweekday() == 4)
WORDS = f"Thursday {DAY.day} December {YEAR}"


@pytest.fixture
def ours():
    return make_round()


def one(ours, kind, *, member=None, **fields) -> EmailMessage:
    """The mail of that kind to one member."""
    if kind == "cancelled":
        fields.setdefault("phase", Phase.CANCELLED)
    starts_at = instant(DAY, time(19, 30), ours.group.time_zone)
    fields.setdefault("place", "Herzl Street 12")
    session = meeting(ours.group, starts_at, sequence=1, **fields)
    return mail_about(session, kind, member or ours.members[0])


def html_of(mail) -> str:
    return mail.get_body(("html",)).get_content()


def paragraphs(mail) -> list[str]:
    return text_of(mail).strip().split("\n\n")


@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_is_plain_text_and_then_html_with_the_headers_of_automatic_mail(ours, kind):
    mail = one(ours, kind)
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar",
        "application/ics",
    ]  # fmt: skip
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "OOF, NRN, AutoReply, RN"
    assert (mail["To"], mail["From"]) == (ours.members[0].email, "balint@balint.test")
    assert "Precedence" not in mail
    assert "List-Id" not in mail


@pytest.mark.parametrize("kind", KINDS)
def test_the_html_says_line_by_line_what_the_text_says(ours, kind):
    mail = one(ours, kind, place="Room <4> & “hall”")
    body = html_of(mail).split("<body", 1)[1].split(">", 1)[1]
    shown = html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<br>|</p>", "\n", body)))
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    assert lines == [line for line in text_of(mail).splitlines() if line]


@pytest.mark.parametrize("kind", KINDS)
def test_links_lead_to_this_site_only_and_nothing_is_loaded_from_elsewhere(ours, kind):
    mail = one(ours, kind, place="https://meet.example/secret-room")
    addresses = re.findall(r"https?://[^\s\"<]+", text_of(mail) + html_of(mail))
    assert addresses
    assert {address.startswith("http://testserver/") for address in addresses} == {True}
    assert "<img" not in html_of(mail)


@pytest.mark.parametrize("kind", KINDS)
def test_no_letter_says_a_name_a_reason_a_way_in_or_anything_of_what_happens_inside(ours, kind):
    with as_owner():
        Entrance.objects.create(
            group=ours.group, join_link="https://meet.example/secret-room", door="4471#"
        )
        Group.objects.filter(pk=ours.group.pk).update(contact="Porter 555 0199")
    ours.group.refresh_from_db()
    starts_at = instant(DAY, time(19, 30), ours.group.time_zone)
    phase = Phase.CANCELLED if kind == "cancelled" else Phase.PLANNED
    session = meeting(ours.group, starts_at, sequence=1, phase=phase)
    cannot_come(session, ours.members[3], "a funeral")
    change(session, "moved", "the leader is ill")
    reader = ours.members[0]
    raw = mail_about(session, kind, reader)
    said = " ".join([str(raw["Subject"]), text_of(raw), html_of(raw)])
    for other in ours.members[1:]:
        assert other.name.split()[1] not in said
        assert other.email not in str(raw)
    for secret in ("secret-room", "4471", "0199", "funeral", "Marrow"):
        assert secret not in said
    assert set(re.findall(r"\w+", said.lower())) & INSIDE == set()


INSIDE = {"ill", "case", "cases", "absent", "absence", "present", "presenter", "attendance"}


def test_a_reminder_is_three_sentences_signed_by_the_leaders(ours):
    mail = one(ours, "reminder-7")
    with as_owner():
        link = answerlinks.url(Session.objects.get(), ours.members[0])
    assert link.startswith("http://testserver/answer/")
    assert mail["Subject"] == f"Valley meets on {WORDS}"
    assert paragraphs(mail) == [
        "Dear Amit,",
        f"Valley meets on {WORDS}, 19:30–21:00, London time.\nPlace: Herzl Street 12",
        "There is nothing to prepare. If you cannot come, please say so here, since Accept or "
        f"Decline in a calendar reaches nobody; you need not sign in:\n{link}",
        "Dr Erik Krantz\nDr Ruth Marks",
    ]


def test_a_reminder_can_be_stopped_by_one_click_and_word_of_a_change_cannot(ours):
    mail = one(ours, "reminder-1")
    assert mail["List-Unsubscribe"].strip() == f"<{optout.url(ours.members[0], [ours.group])}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for kind in sorted(NOTICES):
        told = one(ours, kind, member=ours.members[1])
        assert "List-Unsubscribe" not in told
        assert "List-Unsubscribe-Post" not in told


def test_letters_about_one_meeting_hang_together_in_a_mail_program(ours):
    starts_at = instant(DAY, time(19, 30), ours.group.time_zone)
    session = meeting(ours.group, starts_at, sequence=1)
    threads = {
        mail_about(session, kind, ours.members[0])["References"].strip() for kind in KINDS[:2]
    }
    assert threads == {f"<about-{session.pk}@testserver>"}


def test_the_day_before_the_subject_needs_no_more_than_the_day(ours):
    assert one(ours, "reminder-1")["Subject"] == "Valley meets on Thursday"


def test_a_group_without_an_alias_is_your_group(ours):
    with as_owner():
        Group.objects.filter(pk=ours.group.pk).update(alias="")
    ours.group.alias = ""
    mail = one(ours, "reminder-1")
    assert mail["Subject"] == "Your group meets on Thursday"
    assert "Marrow" not in str(mail)


def test_a_recipient_in_another_zone_reads_both_clocks(ours):
    member = ours.members[0]
    with as_owner():
        type(member).objects.filter(pk=member.pk).update(time_zone="America/New_York")
    mail = one(ours, "reminder-7")
    assert f"{WORDS}, 19:30–21:00, London time (for you 14:30–16:00, New York time)." in text_of(
        mail
    )


def test_a_move_says_the_new_date_and_that_it_replaces_the_earlier(ours):
    mail = one(ours, "moved")
    assert mail["Subject"] == "Valley has moved a meeting"
    assert paragraphs(mail)[1] == (
        f"Valley has moved a meeting: it is now on {WORDS}, 19:30–21:00, London time.\n"
        "Place: Herzl Street 12"
    )
    assert paragraphs(mail)[2].startswith("This replaces what was planned before. If you cannot")


def test_a_cancellation_names_the_next_date(ours):
    next_on = DAY + timedelta(days=28)
    make_session(ours.group, instant(next_on, time(19, 30), "Europe/London"))
    make_session(ours.group, instant(DAY - timedelta(days=28), time(19, 30), "Europe/London"))
    mail = one(ours, "cancelled")
    assert mail["Subject"] == f"Valley does not meet on {WORDS}"
    assert paragraphs(mail)[1:3] == [
        f"Valley does not meet on {WORDS}, 19:30–21:00, London time.",
        f"The next meeting is on Thursday {next_on.day} January {next_on.year}, 19:30–21:00, "
        "London time.\nAll dates of the group stand here:\n"
        f"http://testserver/groups/{ours.group.pk}/",
    ]


def test_a_cancellation_with_nothing_after_it_says_so(ours):
    starts_at = instant(DAY + timedelta(days=28), time(19, 30), "Europe/London")
    make_session(ours.group, starts_at, phase=Phase.CANCELLED)
    make_session(ours.group, starts_at, settled_at=None)
    assert "The next date is not settled yet." in text_of(one(ours, "cancelled"))


def test_put_back_it_meets_after_all(ours):
    mail = one(ours, "restored")
    assert mail["Subject"] == f"Valley meets on {WORDS} after all"
    assert "The meeting is no longer cancelled." in text_of(mail)


@pytest.mark.parametrize(
    ("setting", "place", "said"),
    [
        ("in_person", "Herzl Street 12", ["Place: Herzl Street 12"]),
        ("in_person", "", []),
        ("online", "", ["Place: online"]),
        ("mixed", "Herzl Street 12", ["Place: Herzl Street 12, and online"]),
        ("online", "https://meet.example/secret-room", ["Place: online"]),
        ("online", "meet.example/secret-room", ["Place: online"]),
    ],
)
def test_the_place_is_said_and_a_link_that_was_typed_there_is_not(ours, setting, place, said):
    mail = one(ours, "reminder-1", setting=setting, place=place)
    lines = text_of(mail).splitlines()
    assert [line for line in lines if line.startswith("Place")] == said


def test_without_leaders_balint_signs(ours):
    with as_owner():
        Membership.objects.filter(role="leader").update(ended_at=timezone.now())
    assert paragraphs(one(ours, "reminder-1"))[-1] == "Balint"


def test_a_leader_signs_and_is_greeted_too(ours):
    mail = one(ours, "reminder-1", member=ours.leader)
    assert paragraphs(mail)[0] == "Dear Ruth,"


def test_a_name_with_a_line_break_makes_no_header_of_its_own(ours):
    with as_owner():
        Group.objects.filter(pk=ours.group.pk).update(alias="Valley\nBcc: all@example.org")
    mail = one(ours, "reminder-1")
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Valley Bcc: all@example.org meets on Thursday"


def test_nothing_about_a_session_goes_once_it_has_begun(ours):
    begun = meeting(ours.group, timezone.now() - timedelta(minutes=1), sequence=1)
    with as_owner():
        outbox.plan(
            outbox.letter(
                kind,
                about=begun.pk,
                version=1,
                group_id=ours.group.pk,
                recipient=ours.leader,
                send_after=timezone.now() - timedelta(days=1),
            )
            for kind in ("reminder-1", "moved")
        )
    assert send() == []


def test_of_sessions_letters_nothing_goes_to_somebody_outside(ours):
    outsider = make_member()
    session = meeting(ours.group, instant(DAY, time(19, 30), "Europe/London"), sequence=1)
    with as_owner():
        outbox.plan(
            outbox.letter(
                kind,
                about=session.pk,
                version=1,
                group_id=ours.group.pk,
                recipient=outsider,
                send_after=timezone.now() - timedelta(minutes=1),
            )
            for kind in ("reminder-1", "moved")
        )
    assert send() == []
    with as_owner():
        assert set(Letter.objects.values_list("state", flat=True)) == {"cancelled"}


@pytest.mark.parametrize("kind", sorted(NOTICES - {"cancelled"}))
@pytest.mark.parametrize("whose", ["newcomer", "away", "not the new text"])
def test_who_may_not_answer_is_given_the_groups_page_and_no_dead_link(ours, kind, whose):
    member = ours.on_leave if whose == "away" else ours.members[0]
    with as_owner():
        if whose == "newcomer":
            Acceptance.objects.filter(member=member).delete()
        elif whose == "not the new text":
            Agreement.objects.create(
                group=ours.group, version=2, text="Anew.", in_force_at=timezone.now()
            )
    text = text_of(one(ours, kind, member=member))
    assert "/answer/" not in text
    assert "you need not sign in" not in text
    assert f"The group’s page:\nhttp://testserver/groups/{ours.group.pk}/" in text


@pytest.mark.parametrize("kind", sorted({*REMINDERS.values(), *NOTICES} - {"cancelled"}))
def test_a_letter_with_an_entry_says_where_an_answer_arrives_and_where_not(ours, kind):
    reader = ours.members[0]
    half = "since Accept or Decline in a calendar reaches nobody"
    assert half in text_of(one(ours, kind))
    with as_owner():
        Session.objects.all().delete()
        Member.objects.filter(pk=reader.pk).update(calendar_mail=False)
    text = text_of(one(ours, kind))
    assert half not in text
    assert "please say so here; you need not sign in:" in text
