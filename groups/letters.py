"""Letters of the frame: invitations, and word to those whose yes is asked for.

Neither says a name but the recipient's and the signature, nor what the group is called inside.
"""

from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from groups import invitations, policy, zones
from groups.models import Acceptance, Group, Proposal, ProposedAs, ProposedRole
from members.letters import outbox
from members.letters.compose import message, page
from members.letters.kinds import LetterKind, Message, register
from members.models import Letter, Member

INVITATION = "invitation"
PROPOSAL = "proposal"


def invite(proposal: Proposal, *, at: datetime) -> None:
    """Plan the invitation of the present sending; an earlier one that still waits is void."""
    outbox.cancel(about=proposal.pk, kinds={INVITATION}, versions_below=proposal.sends)
    # Whoever has an account is written to as a person: in their language, at their address.
    person = Member.objects.filter(email=proposal.address, is_active=True).first()
    outbox.plan(
        [
            outbox.letter(
                INVITATION,
                about=proposal.pk,
                version=proposal.sends,
                group_id=proposal.group_id,
                recipient=person,
                address="" if person else proposal.address,
                send_after=at,
                send_before=proposal.expires_at,
            )
        ]
    )


def stop_inviting(proposal: Proposal) -> None:
    """A letter about it that is not sent yet is not sent any more."""
    outbox.cancel(about=proposal.pk)


def tell_leaders_of_proposal(proposal: Proposal, *, at: datetime) -> None:
    """Plan word to everyone whose yes is asked for; the name stays on the page."""
    outbox.plan(
        outbox.letter(
            PROPOSAL,
            about=proposal.pk,
            version=0,
            group_id=proposal.group_id,
            recipient=person,
            send_after=at,
        )
        for person in _asked(proposal, at)
        if person.pk != proposal.proposed_by_id
    )


def register_kinds() -> None:
    """Tell the engine what this app's letters are."""
    register(LetterKind(INVITATION, _invitation_is_wanted, _invitation))
    register(LetterKind(PROPOSAL, _word_is_wanted, _word))


def signature(group: Group | None, at: datetime) -> list[str]:
    """The names of the group's leaders at `at`, one a line; “Balint” where there is none."""
    names = [str(leader) for leader in policy.leaders(group, at)] if group else []
    return names or [_("Balint")]


def _asked(proposal: Proposal, at: datetime) -> QuerySet[Member]:
    """The leaders; in a group without one that is to get a leader, all who ever agreed.

    Leaves are private: who is away is left out when the letter goes, by the worker's question.
    """
    assert proposal.group is not None  # noqa: S101  An admin's proposal is nobody's to answer.
    leaders = policy.leaders(proposal.group, at)
    if proposal.role != ProposedRole.LEADER or leaders.exists():
        return leaders
    agreed = Acceptance.objects.filter(group=proposal.group).values("member")
    inside = policy.current(proposal.group, at).filter(member__in=agreed)
    return Member.objects.filter(pk__in=inside.order_by().values("member"))


def _invitation_is_wanted(letter: Letter) -> bool:
    return Proposal.objects.filter(
        Proposal.OPEN, pk=letter.about_id, sends=letter.about_version, consented_at__isnull=False
    ).exists()


def _word_is_wanted(letter: Letter) -> bool:
    """Still open, and still this person's to answer as far as the worker may know."""
    waiting = Proposal.objects.filter(Proposal.OPEN, pk=letter.about_id, consented_at=None)
    proposal = waiting.select_related("group").first()
    if proposal is None or proposal.group is None:
        return False
    at = timezone.now()
    leaders = policy.leaders(proposal.group, at)
    if proposal.role == ProposedRole.LEADER and not leaders.exists():
        inside = policy.current(proposal.group, at).filter(member=letter.recipient)
        return inside.exists() and _is_here(letter)
    return letter.recipient in leaders


def _is_here(letter: Letter) -> bool:
    """Whether its recipient is not on leave; the worker may ask this and read no leave."""
    with connection.cursor() as cursor:
        question = "select public.balint_is_not_away(%s, %s)"
        cursor.execute(question, [letter.recipient_id, letter.group_id])
        return bool(cursor.fetchone()[0])


def _invitation(letter: Letter) -> Message:
    proposal = _proposal(letter)
    until = proposal.expires_at and _last_day(proposal.expires_at)
    words = {
        "name": letter.recipient.first_name if letter.recipient else proposal.name,
        "role": proposal.role,
        "group": proposal.group.alias if proposal.group else "",
        "link": invitations.url(proposal),
        "until": until and zones.date_words(until, with_year=True),
        "signature": _inviter(proposal),
    }
    return message(_("An invitation"), "invitation", words)


def _last_day(expires_at: datetime) -> date:
    """The last day on which a link works all day long, wherever its reader lives."""
    # A day ends last twelve hours west of Greenwich.
    return (expires_at.astimezone(UTC) - timedelta(hours=12)).date() - timedelta(days=1)


def _inviter(proposal: Proposal) -> list[str]:
    """The leaders sign what a leader proposed, the programme what the office did."""
    if proposal.proposed_as == ProposedAs.LEADER:
        return signature(proposal.group, timezone.now())
    return [str(proposal.programme)]


def _word(letter: Letter) -> Message:
    proposal = _proposal(letter)
    assert proposal.group is not None  # noqa: S101
    assert letter.recipient is not None  # noqa: S101
    words = {
        "name": letter.recipient.first_name,
        "group": proposal.group.name_outside,
        "link": page("roster", proposal.group.pk),
        "signature": [_("Balint")],
    }
    subject = _("%(group)s: someone has been proposed")
    return message(subject % {"group": proposal.group.name_outside}, "proposal", words)


def _proposal(letter: Letter) -> Proposal:
    return Proposal.objects.select_related("group", "programme").get(pk=letter.about_id)
