"""Who lets whom in: every yes that is needed, and every one that is missing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups import invitations, joining
from groups.models import Membership, Proposal
from members.models import Letter
from members.refusals import Refused
from tests.world import as_member, as_owner, join, make_group, make_member, years_ago


def propose(circle, by, *, role="member", address="new@example.org", office=False):
    with as_member(by, "balint_roster" if office else "balint_app"):
        return joining.propose(
            circle.group, address=address, role=role, name="Dr New", by=by, at=timezone.now()
        )


def answer(proposal, by, yes=True):
    with as_member(by):
        return joining.answer(proposal, yes=yes, by=by, at=timezone.now())


def letters_to(address):
    with as_owner():
        return list(Letter.objects.filter(kind="invitation", address=address))


def test_an_admins_proposal_waits_for_a_leaders_yes(circle):
    proposal = propose(circle, circle.admin, office=True)
    assert proposal.consented_at is None
    assert letters_to("new@example.org") == []
    proposal = answer(proposal, circle.second_leader)
    assert proposal.consented_at is not None
    assert len(letters_to("new@example.org")) == 1


def test_a_no_settles_it_without_a_reason(circle):
    proposal = propose(circle, circle.admin, office=True)
    answer(proposal, circle.leader, yes=False)
    with pytest.raises(joining.ProposalIsSettled):
        answer(proposal, circle.second_leader)
    assert letters_to("new@example.org") == []


def test_a_leaders_invitation_is_the_leaders_yes(circle):
    assert propose(circle, circle.leader).consented_at is not None
    assert len(letters_to("new@example.org")) == 1


@pytest.mark.parametrize(
    "who", ["member", "newcomer", "on_leave", "former", "outsider", "superuser"]
)
def test_nobody_else_can_propose(circle, who):
    with pytest.raises(joining.NotYours):
        propose(circle, getattr(circle, who))


@pytest.mark.parametrize("who", ["member", "newcomer", "former", "admin", "outsider", "superuser"])
def test_nobody_else_can_say_yes(circle, who):
    proposal = propose(circle, circle.admin, office=True)
    with pytest.raises(Refused):
        answer(proposal, getattr(circle, who))
    with as_owner():
        assert Proposal.objects.get().consented_at is None


def test_an_admin_does_not_confirm_the_own_proposal_even_as_a_leader_later(circle):
    proposal = propose(circle, circle.admin, office=True)
    join(circle.group, circle.admin, "leader")
    with pytest.raises(joining.OwnProposal):
        answer(proposal, circle.admin)


def test_an_admin_in_the_group_cannot_propose_for_it(circle):
    join(circle.group, circle.admin)
    with pytest.raises(joining.NotYours):
        propose(circle, circle.admin)


def test_a_second_leader_needs_the_present_leaders_yes(circle):
    with as_owner():
        Membership.objects.filter(member=circle.second_leader).update(ended_at=timezone.now())
    proposal = propose(circle, circle.admin, role="leader", office=True)
    assert proposal.consented_at is None
    assert answer(proposal, circle.leader).consented_at is not None


def test_a_third_leader_is_refused(circle):
    with pytest.raises(joining.GroupHasItsLeaders):
        propose(circle, circle.leader, role="leader")


def test_a_leaderless_group_needs_every_active_members_yes(circle):
    with as_owner():
        Membership.objects.filter(role="leader").update(ended_at=years_ago(0.01))
    proposal = propose(circle, circle.admin, role="leader", office=True)
    everyone = [circle.presenter, circle.member, circle.absent]
    for number, person in enumerate(everyone, 1):
        proposal = answer(proposal, person)
        assert (proposal.consented_at is not None) == (number == len(everyone))


@pytest.mark.parametrize("who", ["on_leave", "newcomer", "admin", "outsider"])
def test_nobody_else_is_asked_about_a_leader_of_a_leaderless_group(circle, who):
    with as_owner():
        Membership.objects.filter(role="leader").update(ended_at=years_ago(0.01))
    proposal = propose(circle, circle.admin, role="leader", office=True)
    with pytest.raises(Refused):
        answer(proposal, getattr(circle, who))


def test_the_office_names_the_first_leaders_of_an_empty_group(circle):
    with as_owner():
        empty = make_group(circle.programme, name="New group")
    with as_member(circle.admin, "balint_roster"):
        proposal = joining.propose(
            empty, address="l@example.org", role="leader", by=circle.admin, at=timezone.now()
        )
    assert proposal.consented_at is not None


def test_a_member_of_a_leaderless_group_waits_for_leaders(circle):
    with as_owner():
        Membership.objects.filter(role="leader").update(ended_at=years_ago(0.01))
    assert propose(circle, circle.admin, office=True).consented_at is None


def test_the_cap_counts_newcomers_from_the_yes_on(circle):
    with as_owner():
        circle.group.cap = 6
        circle.group.save()
    propose(circle, circle.leader, address="one@example.org")
    with pytest.raises(joining.GroupIsFull, match="room for 6 members"):
        propose(circle, circle.leader, address="two@example.org")


def test_who_is_inside_or_proposed_is_not_proposed_again(circle):
    with pytest.raises(joining.AlreadyInside):
        propose(circle, circle.leader, address=circle.member.email.upper())
    propose(circle, circle.leader)
    with pytest.raises(joining.AlreadyProposed):
        propose(circle, circle.second_leader, address="NEW@example.org")


def test_accepting_begins_a_membership_once(circle):
    proposal = propose(circle, circle.leader)
    person = make_member("Dr New", email="new@example.org")
    with as_member(person):
        joining.accept(proposal, by=person, at=timezone.now())
        with pytest.raises(joining.ProposalIsSettled):
            joining.accept(proposal, by=person, at=timezone.now())
    with as_owner():
        membership = Membership.objects.get(member=person)
    assert (membership.group_id, membership.role) == (circle.group.pk, "member")


def test_an_invitation_is_for_its_address_alone(circle):
    proposal = propose(circle, circle.leader)
    with pytest.raises(joining.NotYourInvitation), as_member(circle.outsider):
        joining.accept(proposal, by=circle.outsider, at=timezone.now())


def test_a_proposal_without_its_yes_cannot_be_accepted(circle):
    proposal = propose(circle, circle.admin, office=True)
    person = make_member("Dr New", email="new@example.org")
    with pytest.raises(joining.ProposalIsSettled), as_member(person):
        joining.accept(proposal, by=person, at=timezone.now())


def test_a_token_opens_its_proposal_until_sent_again_withdrawn_or_old(circle):
    now = timezone.now()
    proposal = propose(circle, circle.leader)
    token = invitations.token(proposal)
    assert invitations.read(token, at=now) == proposal
    assert invitations.read(token, at=now + timedelta(days=31)) is None
    assert invitations.read(token[:-2] + "xx", at=now) is None
    assert invitations.read("nonsense", at=now) is None
    with as_member(circle.second_leader):
        newer = joining.resend(proposal, by=circle.second_leader, at=now)
    assert invitations.read(token, at=now) is None
    newest = invitations.token(newer)
    with as_member(circle.leader):
        joining.withdraw(newer, by=circle.leader, at=now)
    assert invitations.read(newest, at=now) is None


def test_someone_new_makes_an_account_and_is_asked_to_agree(circle, client_of):
    proposal = propose(circle, circle.leader)
    url = f"/invitations/{invitations.token(proposal)}/"
    client = client_of()
    assert b"Accept the invitation" in client.get(url).content
    with as_owner():
        assert Proposal.objects.get().accepted_at is None
    form = {"name": "Dr New", "time_zone": "Asia/Jerusalem", "password": "a quiet long word"}
    response = client.post(url, form)
    assert response["Location"] == f"/groups/{circle.group.pk}/agreement/"
    with as_owner():
        assert Membership.objects.filter(member__email="new@example.org").count() == 1
    assert client.get(url).status_code == 404


def test_a_weak_password_keeps_what_was_typed(circle, client_of):
    proposal = propose(circle, circle.leader)
    url = f"/invitations/{invitations.token(proposal)}/"
    form = {"name": "Dr Kept", "time_zone": "Asia/Jerusalem", "password": "123"}
    page = client_of().post(url, form).content.decode()
    assert "Dr Kept" in page
    assert "too short" in page


def test_dead_and_invented_invitations_look_the_same(circle, client_of):
    proposal = propose(circle, circle.leader)
    token = invitations.token(proposal)
    with as_member(circle.leader):
        joining.withdraw(proposal, by=circle.leader, at=timezone.now())
    client = client_of()
    dead, invented = client.get(f"/invitations/{token}/"), client.get("/invitations/abc.def/")
    assert (dead.status_code, dead.content) == (invented.status_code, invented.content)
    assert dead.status_code == 404


def test_somebody_else_signed_in_is_told_so(circle, client_of):
    proposal = propose(circle, circle.leader)
    page = client_of(circle.outsider).get(f"/invitations/{invitations.token(proposal)}/")
    assert "You are signed in as" in page.content.decode()


def test_declining_closes_it_without_an_account(circle, client_of):
    proposal = propose(circle, circle.leader)
    url = f"/invitations/{invitations.token(proposal)}/"
    assert client_of().post(url, {"decline": "yes"}).status_code == 200
    assert client_of().get(url).status_code == 404
