"""Ways round the yes of others: naming oneself, old invitations, and changed proposals."""

from datetime import timedelta

import pytest
from django.db.utils import ProgrammingError
from django.utils import timezone

from groups import invitations, joining
from groups.models import Leave, Membership, Proposal
from members.models import Member
from tests.world import as_member, as_owner, join, make_group, make_member, years_ago

LATER = timedelta(days=40)


@pytest.fixture
def empty(circle):
    return make_group(circle.programme, name="New group")


def propose(group, by, address, role="leader", *, office=True, at=None):
    with as_member(by, "balint_roster" if office else "balint_app"):
        return joining.propose(group, address=address, role=role, by=by, at=at or timezone.now())


def accept(proposal, by, at=None):
    with as_member(by):
        return joining.accept(proposal, by=by, at=at or timezone.now())


def resend(proposal, by, at):
    with as_member(by, "balint_roster"):
        return joining.resend(proposal, by=by, at=at, office=True)


def end_leads(group):
    with as_owner():
        Membership.objects.filter(group=group, role="leader").update(ended_at=years_ago(0.01))


def leaders_of(group):
    with as_owner():
        held = Membership.objects.filter(group=group, role="leader", ended_at=None)
        return {row.member for row in held.select_related("member")}


# An admin and the own groups.


def test_an_admin_does_not_make_himself_first_leader(circle, empty):
    with pytest.raises(joining.OwnProposal):
        propose(empty, circle.admin, circle.admin.email.upper())
    assert leaders_of(empty) == set()


def test_an_admin_who_takes_the_proposed_address_afterwards_does_not_confirm_himself(circle, empty):
    proposal = propose(empty, circle.admin, "friend@example.org")
    with as_owner():
        Member.objects.filter(pk=circle.admin.pk).update(email="friend@example.org")
    circle.admin.refresh_from_db()
    with pytest.raises(joining.OwnProposal):
        accept(proposal, circle.admin)
    assert leaders_of(empty) == set()


def test_an_admin_joins_a_group_by_its_leaders_yes(circle):
    proposal = propose(circle.group, circle.admin, circle.admin.email, "member")
    with pytest.raises(joining.ProposalIsSettled):
        accept(proposal, circle.admin)
    with as_member(circle.leader):
        joining.answer(proposal, yes=True, by=circle.leader, at=timezone.now())
    assert accept(proposal, circle.admin).role == "member"


# Old invitations.


def test_an_old_invitation_of_a_first_leader_is_no_way_past_the_leader_there_is(circle, empty):
    friend = make_member("Dr Friend", email="friend@example.org")
    proposal = propose(empty, circle.admin, friend.email, at=timezone.now() - LATER)
    join(empty, circle.leader, "leader")
    for at in (timezone.now() - LATER + timedelta(days=20), timezone.now()):
        with pytest.raises(joining.AskAnew):
            resend(proposal, circle.admin, at)
    with pytest.raises(joining.ProposalIsSettled):
        accept(proposal, friend)
    assert leaders_of(empty) == {circle.leader}


def test_a_first_leaders_invitation_is_sent_again_while_nobody_is_there(circle, empty):
    proposal = propose(empty, circle.admin, "friend@example.org")
    assert resend(proposal, circle.admin, timezone.now()).sends == 2


def test_a_third_leader_does_not_slip_in_by_an_invitation_sent_before(circle, empty):
    friend = make_member("Dr Friend", email="friend@example.org")
    proposal = propose(empty, circle.admin, friend.email)
    join(empty, circle.leader, "leader")
    join(empty, circle.second_leader, "leader")
    with pytest.raises(joining.GroupHasItsLeaders):
        accept(proposal, friend)
    assert leaders_of(empty) == {circle.leader, circle.second_leader}


def test_the_latest_letter_alone_opens_and_only_once(circle, client_of):
    proposal = propose(circle.group, circle.leader, "new@example.org", "member", office=False)
    first = invitations.token(proposal)
    with as_member(circle.leader):
        proposal = joining.resend(proposal, by=circle.leader, at=timezone.now())
    second = invitations.token(proposal)
    form = {"name": "Dr New", "time_zone": "UTC", "password": "a quiet long word"}
    assert client_of().post(f"/invitations/{first}/", form).status_code == 404
    assert client_of().post(f"/invitations/{second}/", form).status_code == 302
    assert client_of().post(f"/invitations/{second}/", form).status_code == 404
    with as_owner():
        assert Member.objects.filter(email="new@example.org").count() == 1


def test_a_token_of_one_proposal_does_not_open_another(circle):
    one = propose(circle.group, circle.leader, "one@example.org", "member", office=False)
    two = propose(circle.group, circle.leader, "two@example.org", "member", office=False)
    (name, _), (_, proof) = (invitations.token(p).split(".") for p in (one, two))
    assert invitations.read(f"{name}.{proof}", at=timezone.now()) is None


def test_looking_at_an_invitation_changes_nothing(circle, client_of):
    proposal = propose(circle.group, circle.leader, "new@example.org", "member", office=False)
    for _time in range(2):
        client_of().get(f"/invitations/{invitations.token(proposal)}/")
    with as_owner():
        row = Proposal.objects.get()
    assert (row.accepted_at, row.declined_at) == (None, None)


# Who says yes.


def test_a_leader_on_leave_says_neither_yes_nor_no(circle):
    proposal = propose(circle.group, circle.admin, "new@example.org", "member")
    with as_owner():
        Leave.objects.create(
            group=circle.group, member=circle.second_leader, starts_at=years_ago(0.1)
        )
    with pytest.raises(joining.NotYours), as_member(circle.second_leader):
        joining.answer(proposal, yes=True, by=circle.second_leader, at=timezone.now())


def test_a_leader_who_has_not_agreed_says_neither_yes_nor_no(circle, empty):
    end_leads(circle.group)
    new = make_member("Dr Unsigned")
    join(circle.group, new, "leader", agreed=False)
    proposal = propose(circle.group, circle.admin, "new@example.org", "member")
    with pytest.raises(joining.NotYours), as_member(new):
        joining.answer(proposal, yes=True, by=new, at=timezone.now())


def test_a_former_leaders_yes_does_not_count_for_a_leader_after_him(circle):
    with as_owner():
        Membership.objects.filter(member=circle.second_leader).update(ended_at=years_ago(0.01))
    proposal = propose(circle.group, circle.admin, "friend@example.org")
    with as_member(circle.leader):
        joining.answer(proposal, yes=True, by=circle.leader, at=timezone.now())
    end_leads(circle.group)
    new = make_member("Dr Next")
    join(circle.group, new, "leader")
    with pytest.raises(joining.AskAnew):
        resend(proposal, circle.admin, timezone.now())


def test_leaders_elsewhere_answer_nothing_here(circle):
    join(circle.other_group, circle.superuser, "leader")
    proposal = propose(circle.group, circle.admin, "new@example.org", "member")
    with pytest.raises(joining.NotYours), as_member(circle.superuser):
        joining.answer(proposal, yes=True, by=circle.superuser, at=timezone.now())


@pytest.mark.parametrize("verb", ["withdraw", "resend"])
def test_leaders_do_not_act_for_the_office_nor_the_office_for_leaders(circle, verb):
    office = propose(circle.group, circle.admin, "one@example.org", "member")
    own = propose(circle.group, circle.leader, "two@example.org", "member", office=False)
    act = getattr(joining, verb)
    with pytest.raises(joining.NotYours), as_member(circle.leader):
        act(office, by=circle.leader, at=timezone.now())
    with pytest.raises(joining.NotYours), as_member(circle.admin, "balint_roster"):
        act(own, by=circle.admin, at=timezone.now(), office=True)


# What was said yes to cannot be changed afterwards.


@pytest.mark.parametrize(
    "change", [{"role": "leader"}, {"address": "me@example.org"}, {"proposed_as": "leader"}]
)
@pytest.mark.parametrize("role", ["balint_app", "balint_roster"])
def test_a_proposal_stays_what_the_leaders_said_yes_to(circle, change, role):
    proposal = propose(circle.group, circle.admin, "new@example.org", "member")
    with pytest.raises(ProgrammingError, match="stays as it is"), as_member(circle.admin, role):
        Proposal.objects.filter(pk=proposal.pk).update(**change)


# From outside: over the pages.


@pytest.mark.parametrize(
    "who",
    ["member", "newcomer", "on_leave", "former", "admin", "outsider", "superuser"],
)
@pytest.mark.parametrize("verb", ["answer", "resend", "withdraw"])
def test_a_leaders_invitation_is_nobody_elses_to_handle(circle, client_of, who, verb):
    proposal = propose(circle.group, circle.leader, "new@example.org", "member", office=False)
    url, absent = f"/proposals/{proposal.pk}/{verb}/", f"/proposals/{circle.group.pk}/{verb}/"
    client = client_of(getattr(circle, who))
    answered = client.post(url, {"answer": "no"})
    if who == "admin":
        # The office sees that somebody is invited, and cannot touch it.
        assert answered.status_code == 409
    else:
        missing = client.post(absent, {"answer": "no"})
        assert (answered.status_code, answered.content) == (404, missing.content)
    with as_owner():
        row = Proposal.objects.get(pk=proposal.pk)
    assert (row.refused_at, row.withdrawn_at, row.sends) == (None, None, 1)
