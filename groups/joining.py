"""Who lets whom in: proposed, said yes to by those who must, invited, accepted.

An admin proposes and the leaders say yes or no, without reasons. A leader's own invitation is the
leaders' yes; the person who accepts confirms it. A further leader needs the present leader's yes,
in a leaderless group every active member's. Nobody confirms his own proposal.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from groups import leaving, letters, visible
from groups.models import (
    INVITATION_LASTS,
    Consent,
    Group,
    Membership,
    MembershipRole,
    Programme,
    ProgrammeAdmin,
    Proposal,
    ProposedAs,
    ProposedRole,
    during,
)
from groups.policy import EVERY_ROLE, OFFICE, Action, current, may
from groups.signals import membership_started
from members import audit
from members.models import Member
from members.refusals import Refused

MOST_LEADERS = 2


class NotYours(Refused):
    sentence = _("This is not yours to do.")


class AlreadyInside(Refused):
    sentence = _("This person is in the group already.")


class AlreadyProposed(Refused):
    sentence = _("This person has been proposed already. See the proposals on the list of members.")


class GroupIsFull(Refused):
    sentence = _("The group is full: it has room for %(cap)s members. Its leaders can change that.")


class GroupHasItsLeaders(Refused):
    sentence = _("The group has two leaders. A third can be proposed when one has left.")


class ProposalIsSettled(Refused):
    sentence = _("This proposal has been settled in the meantime. Load the page again.")


class OwnProposal(Refused):
    sentence = _("Nobody confirms their own proposal. Somebody else has to say yes.")


class AskAnew(Refused):
    sentence = _(
        "Somebody’s yes is missing who was not asked then. Withdraw this proposal, and propose "
        "the person again."
    )


class NotYourInvitation(Refused):
    sentence = _("This invitation was sent to another address. Sign in with that one.")


def found(*, programme_name: str, address: str, at: datetime) -> Proposal:
    """A programme and the invitation of its first admin; for the command, run by the operator."""
    programme = Programme.objects.create(name=programme_name)
    return Proposal.objects.create(
        programme=programme,
        role=ProposedRole.ADMIN,
        address=address.lower(),
        proposed_as=ProposedAs.COMMAND,
        proposed_at=at,
        consented_at=at,
        sends=1,
        expires_at=at + INVITATION_LASTS,
    )


@transaction.atomic
def propose(
    group: Group, *, address: str, role: str, by: Member, at: datetime, name: str = ""
) -> Proposal:
    """Propose someone as the office or as a leader; invites at once if nobody else must say yes."""
    group = _locked(group)
    proposed_as = _proposed_as(group, by, at)
    _check_room(group, address.lower(), role, at)
    own = address.lower() == by.email.lower()
    if own and role == ProposedRole.MEMBER and not _leaders(group, at).exists():
        raise OwnProposal
    proposal = Proposal.objects.create(
        programme_id=group.programme_id,
        group=group,
        role=role,
        name=name.strip(),
        address=address.lower(),
        proposed_by=by,
        proposed_as=proposed_as,
        proposed_at=at,
    )
    _settle(proposal, at)
    if own and proposal.consented_at:
        raise OwnProposal
    if proposal.consented_at is None:
        letters.tell_leaders_of_proposal(proposal, at=at)
    _record(audit.MADE, proposal)
    return proposal


@transaction.atomic
def answer(proposal: Proposal, *, yes: bool, by: Member, at: datetime) -> Proposal:
    """One yes or no of someone who must be asked; a single no settles it, and has no reason."""
    proposal = _locked_proposal(proposal)
    if proposal.proposed_by_id == by.pk:
        raise OwnProposal
    if proposal.group is None or not _is_asked(proposal, by, at):
        raise NotYours
    if proposal.consented_at or Consent.objects.filter(proposal=proposal, member=by).exists():
        raise ProposalIsSettled
    Consent.objects.create(group=proposal.group, proposal=proposal, member=by, yes=yes, given_at=at)
    if not yes:
        proposal.refused_at = at
        proposal.save(update_fields=["refused_at"])
    else:
        _settle(proposal, at)
    # Inside: the office learns that it was settled, and not by whom.
    audit.note(audit.AGREED if yes else audit.REFUSED, audit.Thing.CONSENT, group=proposal.group_id)
    return proposal


@transaction.atomic
def resend(proposal: Proposal, *, by: Member, at: datetime, office: bool = False) -> Proposal:
    """Send the invitation again for another 30 days; the earlier letter's address dies."""
    proposal = _locked_proposal(proposal)
    if not _is_theirs(proposal, by, at, office=office):
        raise NotYours
    if proposal.consented_at is None:
        raise ProposalIsSettled
    if proposal.group and proposal.expires_at and proposal.expires_at <= at:
        # Its place was given back when it ran out.
        _check_room(_locked(proposal.group), proposal.address, proposal.role, at)
    if proposal.role == ProposedRole.LEADER and _missing(proposal):
        # A leader who is there by now says yes as well; an old invitation is no way past that.
        raise AskAnew
    _invite(proposal, at)
    return proposal


@transaction.atomic
def withdraw(proposal: Proposal, *, by: Member, at: datetime, office: bool = False) -> None:
    """Take a proposal back; an invitation already sent no longer opens."""
    proposal = _locked_proposal(proposal)
    if not _is_theirs(proposal, by, at, office=office):
        raise NotYours
    proposal.withdrawn_at = at
    proposal.save(update_fields=["withdrawn_at"])
    letters.stop_inviting(proposal)
    _record(audit.WITHDRAWN, proposal)


@transaction.atomic
def accept(proposal: Proposal, *, by: Member, at: datetime) -> Membership | ProgrammeAdmin:
    """The person says yes: their place begins now. A meeting that runs keeps its circle."""
    if proposal.group is not None:
        _locked(proposal.group)
    proposal = _locked_proposal(proposal)
    if proposal.address.lower() != by.email.lower():
        raise NotYourInvitation
    if proposal.consented_at is None or (proposal.expires_at and proposal.expires_at <= at):
        raise ProposalIsSettled
    if proposal.proposed_by_id == by.pk and not _others_said_yes(proposal):
        raise OwnProposal
    proposal.accepted_at, proposal.accepted_by = at, by
    proposal.save(update_fields=["accepted_at", "accepted_by"])
    _record(audit.ACCEPTED, proposal)
    return _begin(proposal, by, at)


@transaction.atomic
def decline(proposal: Proposal, *, at: datetime) -> None:
    """The person says no, with the token as proof and no reason asked."""
    proposal = _locked_proposal(proposal)
    proposal.declined_at = at
    proposal.save(update_fields=["declined_at"])
    _record(audit.REFUSED, proposal)
    letters.stop_inviting(proposal)


def room(group: Group, at: datetime) -> int:
    """Free places: the cap less those taken."""
    return max(group.cap - taken(group, at), 0)


def taken(group: Group, at: datetime) -> int:
    """Places taken: by members, those on leave too, and by newcomers already said yes to."""
    inside = current(group, at).filter(role=MembershipRole.MEMBER).count()
    return inside + _newcomers(group, at).count()


@dataclass(frozen=True)
class Waiting:
    """An open proposal as one person sees it, and what they can do with it."""

    proposal: Proposal
    asks_me: bool
    is_theirs: bool
    expired: bool


def waiting(group: Group, *, member: Member, at: datetime, office: bool = False) -> list[Waiting]:
    """Open proposals `member` may see, the oldest first; their number costs no queries."""
    roles = OFFICE if office else EVERY_ROLE
    shown = list(
        visible.proposals(member, at, roles)
        .filter(group=group)
        .select_related("proposed_by", "group")
        .prefetch_related("consents")
        .order_by("proposed_at")
    )
    roles_asked = {p.role for p in shown if _waits(p)}
    asks = {role: not office and _asks(group, role, member, at) for role in roles_asked}
    sides = {proposal.proposed_as for proposal in shown}
    theirs = {side: _acts_for(group, side, member, at, office=office) for side in sides}
    return [
        Waiting(
            proposal,
            asks_me=_waits(proposal) and asks[proposal.role] and not _has_spoken(proposal, member),
            is_theirs=theirs[proposal.proposed_as],
            expired=bool(proposal.expires_at and proposal.expires_at <= at),
        )
        for proposal in shown
    ]


def _waits(proposal: Proposal) -> bool:
    return proposal.consented_at is None


def _has_spoken(proposal: Proposal, member: Member) -> bool:
    """Whether the person proposed it, or said their yes already."""
    said = {consent.member_id for consent in proposal.consents.all()}
    return proposal.proposed_by_id == member.pk or member.pk in said


def _proposed_as(group: Group, by: Member, at: datetime) -> ProposedAs:
    if may(by, Action.PROPOSE, group, at, roles=OFFICE):
        return ProposedAs.ADMIN
    if may(by, Action.INVITE, group, at):
        return ProposedAs.LEADER
    raise NotYours


def _is_theirs(proposal: Proposal, by: Member, at: datetime, *, office: bool) -> bool:
    """Whether `by` acts for the side that proposed."""
    if proposal.group is None:
        return visible.programmes(by, at).filter(pk=proposal.programme_id).exists()
    return _acts_for(proposal.group, proposal.proposed_as, by, at, office=office)


def _acts_for(group: Group, side: str, by: Member, at: datetime, *, office: bool) -> bool:
    """Whether `by` acts for the office, or for the group's leaders."""
    if side == ProposedAs.ADMIN:
        return may(by, Action.PROPOSE, group, at, roles=OFFICE)
    return not office and may(by, Action.INVITE, group, at)


def _locked(group: Group) -> Group:
    return Group.objects.select_for_update().get(pk=group.pk)


def _locked_proposal(proposal: Proposal) -> Proposal:
    fresh = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if not fresh.is_open:
        raise ProposalIsSettled
    return fresh


def _record(verb: audit.Verb, proposal: Proposal) -> None:
    if proposal.group_id is not None:
        audit.note(verb, audit.Thing.PROPOSAL, group=proposal.group_id)


def _check_room(group: Group, address: str, role: str, at: datetime) -> None:
    if current(group, at).filter(member__email__iexact=address).exists():
        raise AlreadyInside
    open_ones = Proposal.objects.filter(Proposal.OPEN, group=group).exclude(expires_at__lte=at)
    if open_ones.filter(address__iexact=address).exists():
        raise AlreadyProposed
    if role == ProposedRole.MEMBER and room(group, at) == 0:
        raise GroupIsFull(cap=group.cap)
    if role == ProposedRole.LEADER:
        invited = open_ones.filter(role=ProposedRole.LEADER).count()
        if _leaders(group, at).count() + invited >= MOST_LEADERS:
            raise GroupHasItsLeaders


def _newcomers(group: Group, at: datetime) -> QuerySet[Proposal]:
    return Proposal.objects.filter(
        Proposal.OPEN,
        Q(expires_at=None) | Q(expires_at__gt=at),
        group=group,
        role=ProposedRole.MEMBER,
        consented_at__isnull=False,
    )


def _leaders(group: Group | None, at: datetime) -> QuerySet[Membership]:
    return Membership.objects.filter(during(at), group=group, role=MembershipRole.LEADER)


def _is_asked(proposal: Proposal, member: Member, at: datetime) -> bool:
    """Whether the person is one of those who must say yes, and may speak at present."""
    group = proposal.group
    asked = group is not None and _asks(group, proposal.role, member, at)
    return asked and visible.proposals(member, at).filter(pk=proposal.pk).exists()


def _others_said_yes(proposal: Proposal) -> bool:
    said = Consent.objects.filter(proposal=proposal, yes=True)
    return said.exclude(member=proposal.proposed_by_id).exists()


def _asks(group: Group, role: str, member: Member, at: datetime) -> bool:
    """Whether the group asks this person: its leaders; for a leader where none is, who is active.

    Looks at nobody else's leave: who is away is not told, even among those who are asked.
    """
    leading = set(_leaders(group, at).values_list("member", flat=True))
    if leading or role != ProposedRole.LEADER:
        return member.pk in leading
    return may(member, Action.CONSENT_TO_LEADER, group, at)


def _settle(proposal: Proposal, at: datetime) -> None:
    """Invite when all who must say yes have."""
    if not _missing(proposal):
        proposal.consented_at = at
        _invite(proposal, at)


def _missing(proposal: Proposal) -> bool:
    """Whether anybody's yes is missing at present: either leader's for a member, all for a leader.

    A leader's own invitation is the leaders' yes. Leaves are private, so the database works out
    who is active in a group without a leader, and says no more than this.
    """
    with connection.cursor() as cursor:
        cursor.execute("select public.balint_yes_is_missing(%s)", [proposal.pk])
        return bool(cursor.fetchone()[0])


def _invite(proposal: Proposal, at: datetime) -> None:
    proposal.sends += 1
    proposal.expires_at = at + INVITATION_LASTS
    proposal.save(update_fields=["consented_at", "sends", "expires_at"])
    letters.invite(proposal, at=at)


def _begin(proposal: Proposal, by: Member, at: datetime) -> Membership | ProgrammeAdmin:
    if proposal.group is None:
        role, _made = ProgrammeAdmin.objects.get_or_create(
            programme_id=proposal.programme_id,
            member=by,
            ended_at=None,
            defaults={"starts_at": at},
        )
        audit.note(audit.STARTED, audit.Thing.ADMIN)
        return role
    inside = current(proposal.group, at)
    if inside.filter(member=by).exists():
        raise AlreadyInside
    members = inside.filter(role=MembershipRole.MEMBER).count()
    if proposal.role == ProposedRole.MEMBER and members >= proposal.group.cap:
        raise GroupIsFull(cap=proposal.group.cap)
    leaders = inside.filter(role=MembershipRole.LEADER).count()
    if proposal.role == ProposedRole.LEADER and leaders >= MOST_LEADERS:
        raise GroupHasItsLeaders
    membership = Membership.objects.create(
        group=proposal.group, member=by, role=proposal.role, starts_at=at
    )
    leaving.end_old_leave(proposal.group, by, at=at)
    audit.note(audit.STARTED, leaving.thing_of(membership), group=membership.group_id)
    membership_started.send(Membership, group=proposal.group, member=by, at=at)
    return membership
