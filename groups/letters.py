"""Letters of the frame: invitations, and word to leaders that someone is proposed."""

from datetime import datetime

from groups.models import Proposal


def invite(proposal: Proposal, *, at: datetime) -> None:
    """Plan the invitation of the present sending."""
    from members.letters import outbox

    outbox.plan(
        [
            outbox.letter(
                "invitation",
                about=proposal.pk,
                version=proposal.sends,
                group_id=proposal.group_id,
                address=proposal.address,
                send_after=at,
                send_before=proposal.expires_at,
            )
        ]
    )


def stop_inviting(proposal: Proposal) -> None:
    """An invitation not sent yet is not sent any more."""
    from members.letters import outbox

    outbox.cancel(about=proposal.pk)


def tell_leaders_of_proposal(proposal: Proposal, *, at: datetime) -> None:
    """Plan word to each leader that someone is proposed; the name stays on the page."""
    from groups import policy
    from members.letters import outbox

    assert proposal.group is not None  # noqa: S101
    outbox.plan(
        outbox.letter(
            "proposal",
            about=proposal.pk,
            version=0,
            group_id=proposal.group_id,
            recipient=leader,
            send_after=at,
        )
        for leader in policy.leaders(proposal.group, at)
    )
