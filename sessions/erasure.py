"""A person has the account deleted: everything of theirs at once, in one function of the database.

What others wrote or did stays and loses the name; of a group's frame only counts are left. The
record of who read or changed what (members/audit) keeps the id, which leads to nobody any more.
The group's leaders get no letter: the list of members simply has one person less.
"""

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import ProgrammingError, connection, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg.errors import InsufficientPrivilege

from groups.models import Group, ProgrammeAdmin, during
from members import audit
from members.letters import outbox
from members.letters.compose import message
from members.letters.kinds import LetterKind, Message, register
from members.models import Letter, Member
from members.refusals import Refused
from sessions import visible

# Backups older than this do not exist (docs/forgetting.md).
BACKUPS_DAYS = 30
GONE = "account-deleted"
TRIED_FOR = timedelta(days=2)


class OnlyLeader(Refused):
    sentence = gettext_lazy(
        "You are the only leader of %(groups)s, and there are members. Propose another leader "
        "first, or ask that the group ends."
    )


class MeetingRuns(Refused):
    sentence = gettext_lazy(
        "A meeting of yours runs, and its circle stays as it is. Please come back tomorrow morning."
    )


class NotJustNow(Refused):
    sentence = gettext_lazy("This could not be done just now. Please try again in a minute.")


def check(member: Member, *, at: datetime) -> None:
    """Raises what stands in the way at present; for the person's own page."""
    alone = _groups_led_alone()
    if alone:
        raise OnlyLeader(groups=", ".join(alone))
    if visible.circle(member, at).exists():
        raise MeetingRuns


def programmes_alone(member: Member, *, at: datetime) -> list[str]:
    """Programmes that nobody but `member` looks after; said before, and no reason to stay."""
    running = ProgrammeAdmin.objects.filter(during(at))
    others = running.filter(programme=OuterRef("programme")).exclude(member=member)
    own = running.filter(~Exists(others), member=member).order_by("programme__name")
    return list(own.values_list("programme__name", flat=True))


@transaction.atomic
def erase(member: Member, *, at: datetime) -> None:
    """Delete the account of whoever asks, and all that is theirs; raises Refused.

    One letter to the old address says so; it waits under the bare address and goes with its sending
    (sessions/upkeep.py).
    """
    check(member, at=at)
    address = member.email
    audit.note(audit.ERASED, audit.Thing.ACCOUNT)
    _erase_in_database(member, at)
    outbox.plan(
        [
            outbox.letter(
                GONE,
                about=uuid4(),
                version=0,
                group_id=None,
                address=address,
                send_after=at,
                send_before=at + TRIED_FOR,
            )
        ]
    )


def _erase_in_database(member: Member, at: datetime) -> None:
    """The database looks again: another leader may have gone, or a meeting begun, meanwhile."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("select public.balint_erase_me()")
    except ProgrammingError as error:
        if not isinstance(error.__cause__, InsufficientPrivilege):
            raise
        check(member, at=at)
        raise NotJustNow from error


def register_kinds() -> None:
    """Tell the engine about the one letter that follows."""
    register(LetterKind(GONE, lambda letter: True, _word))


def _word(letter: Letter) -> Message:
    words = {"days": BACKUPS_DAYS, "signature": [_("Balint")]}
    return message(_("Your account is deleted"), "account_deleted", words)


def _groups_led_alone() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("select public.balint_groups_i_lead_alone()")
        ids = cursor.fetchone()[0]
    return list(Group.objects.filter(pk__in=ids).order_by("name").values_list("name", flat=True))
