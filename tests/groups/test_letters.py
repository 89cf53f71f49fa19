"""Invitations, and word to those whose yes is asked for, as mails."""

from datetime import date, time, timedelta

import pytest
from django.utils import timezone

from groups import invitations, joining, letters
from groups.cadence import instant
from groups.models import Group, Membership, Programme, Proposal
from members.models import Letter
from tests.sessions.round import emails, make_admin, make_round, recipients, send, text_of
from tests.world import as_member, as_owner, make_member, utc

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours():
    return make_round()


def now():
    return timezone.now()


def proposed(ours, by, address="new@example.org", role="member", **fields):
    db_role = "balint_app" if by == ours.leader else "balint_roster"
    with as_member(by, db_role):
        return joining.propose(
            ours.group, address=address, role=role, by=by, at=now(), name="Nina Neu", **fields
        )


def paragraphs(mail):
    return text_of(mail).strip().split("\n\n")


def states(proposal):
    with as_owner():
        rows = Letter.objects.filter(about_id=proposal.pk).order_by("kind", "about_version")
        return list(rows.values_list("kind", "about_version", "state"))


def test_an_invitation_is_three_sentences_with_its_link_signed_by_the_leaders(ours):
    proposal = proposed(ours, ours.leader)
    (mail,) = send()
    until = letters._last_day(proposal.expires_at)
    assert (mail["To"], mail["Subject"]) == ("new@example.org", "An invitation")
    assert paragraphs(mail) == [
        "Dear Nina Neu,",
        "You are invited to join a Balint group, Valley.",
        "This page says more, and there you accept or decline:\n" + invitations.url(proposal),
        f"The link is meant for you alone and works until {until.day} {until:%B} {until.year}.",
        "Dr Erik Krantz\nDr Ruth Marks",
    ]
    assert "Marrow" not in str(mail)


@pytest.mark.parametrize(
    ("expires_at", "last_day"),
    [
        (utc(2027, 3, 31, 11, 59), date(2027, 3, 29)),
        (utc(2027, 3, 31, 12), date(2027, 3, 30)),
        (utc(2027, 4, 1, 9), date(2027, 3, 30)),
    ],
)
def test_the_day_an_invitation_names_is_a_whole_day_wherever_one_lives(expires_at, last_day):
    assert letters._last_day(expires_at) == last_day
    for zone in ("Etc/GMT+12", "America/New_York", "Pacific/Kiritimati"):
        midnight = instant(last_day + timedelta(days=1), time(0), zone)
        assert midnight <= expires_at


def test_the_link_of_the_mail_opens_the_invitation_and_reading_it_changes_nothing(ours, client):
    proposal = proposed(ours, ours.leader)
    (mail,) = send()
    link = paragraphs(mail)[2].splitlines()[1].removeprefix("http://testserver")
    for _ in range(2):
        assert client.get(link).status_code == 200
    with as_owner():
        assert Proposal.objects.get(pk=proposal.pk).is_open


def test_whoever_has_an_account_is_written_to_as_a_person(ours):
    person = make_member("Dr Nina Neu", language="en")
    proposal = proposed(ours, ours.leader, address=person.email.upper())
    with as_owner():
        letter = Letter.objects.get(about_id=proposal.pk)
        assert (letter.recipient, letter.address) == (person, "")
    (mail,) = send()
    assert (mail["To"], paragraphs(mail)[0]) == (person.email, "Dear Nina,")


def test_a_group_without_an_alias_stays_a_balint_group(ours):
    with as_owner():
        Group.objects.filter(pk=ours.group.pk).update(alias="")
    proposed(ours, ours.leader)
    (mail,) = send()
    assert paragraphs(mail)[1] == "You are invited to join a Balint group."


def test_an_admin_is_invited_by_the_programme(ours):
    with as_owner():
        programme = Programme.objects.create(name="South programme")
        proposal = Proposal.objects.create(
            programme=programme,
            role="admin",
            address="office@example.org",
            proposed_as="command",
            proposed_at=now(),
            consented_at=now(),
            expires_at=now() + timedelta(days=30),
            sends=1,
        )
        letters.invite(proposal, at=now())
    (mail,) = send()
    text = paragraphs(mail)
    assert text[0] == "Hello,"
    assert text[1].startswith("You are invited to look after the Balint groups of a programme")
    assert text[-1] == "South programme"


def test_sent_again_the_earlier_letter_is_void(ours):
    proposal = proposed(ours, ours.leader)
    with as_member(ours.leader):
        joining.resend(proposal, by=ours.leader, at=now())
    assert states(proposal) == [("invitation", 1, "cancelled"), ("invitation", 2, "pending")]
    assert len(send()) == 1
    assert send() == []


@pytest.mark.parametrize("field", ["withdrawn_at", "declined_at", "refused_at", "accepted_at"])
def test_an_invitation_that_is_settled_meanwhile_does_not_go(ours, field):
    proposal = proposed(ours, ours.leader)
    with as_owner():
        Proposal.objects.filter(pk=proposal.pk).update(**{field: now()})
    assert send() == []
    assert states(proposal) == [("invitation", 1, "cancelled")]


def test_an_invitation_that_ran_out_does_not_go(ours):
    proposal = proposed(ours, ours.leader)
    with as_owner():
        Letter.objects.update(send_before=now())
    assert send() == []
    assert states(proposal) == [("invitation", 1, "expired")]


def test_withdrawn_before_it_went_it_does_not_go(ours):
    proposal = proposed(ours, ours.leader)
    with as_member(ours.leader):
        joining.withdraw(proposal, by=ours.leader, at=now())
    assert states(proposal) == [("invitation", 1, "cancelled")]


def test_leaders_hear_that_someone_is_proposed_and_the_name_stays_on_the_page(ours):
    proposed(ours, make_admin(ours.group))
    mails = send()
    assert recipients(mails) == emails([ours.leader, ours.second_leader])
    assert {mail["Subject"] for mail in mails} == {"Valley: someone has been proposed"}
    for mail in mails:
        assert "Nina" not in str(mail)
        assert "new@example.org" not in str(mail)
        assert paragraphs(mail)[1:3] == [
            "Valley: someone has been proposed, and your yes or no is asked for.",
            "The name stands on this page; nobody asks for your reasons:\n"
            f"http://testserver/groups/{ours.group.pk}/roster/",
        ]


def test_once_answered_no_leader_is_asked_any_more(ours):
    proposal = proposed(ours, make_admin(ours.group))
    with as_member(ours.leader):
        joining.answer(proposal, yes=False, by=ours.leader, at=now())
    assert send() == []


def test_after_the_yes_the_person_is_invited_and_the_other_leader_no_longer_asked(ours):
    proposal = proposed(ours, make_admin(ours.group))
    with as_member(ours.leader):
        joining.answer(proposal, yes=True, by=ours.leader, at=now())
    assert recipients(send()) == ["new@example.org"]


def test_in_a_leaderless_group_everyone_who_is_asked_hears_of_a_proposed_leader(ours):
    with as_owner():
        Membership.objects.filter(role="leader").update(ended_at=now() - timedelta(days=1))
    proposed(ours, make_admin(ours.group), role="leader")
    active = [member for member in ours.members if member != ours.on_leave]
    assert recipients(send()) == emails(active)
