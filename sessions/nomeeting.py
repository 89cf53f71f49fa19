"""Leaders are told, in the second half of a month, when their group has no meeting in the next.

Not of a group whose rhythm is slower than that, that never had a date, or that has ended. Told once
for each month; whoever cares for it meanwhile makes the letter void.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from groups import ending
from groups.cadence import Rule, after_quiet_hours, instant, next_midnight
from groups.models import Group, Membership, MembershipRole, during
from members.letters import outbox
from members.letters.compose import message, page
from members.letters.kinds import LetterKind, Message, register
from members.models import Letter
from sessions.models import Series, Session
from sessions.phases import Phase

KIND = "no-meeting"
FROM_DAY, AT = 15, time(9)
MONTHLY = 31  # days between meetings, at most
FURTHEST = timedelta(days=80)


def register_kind() -> None:
    """Tell the engine what this letter is."""
    register(LetterKind(KIND, _is_wanted, _compose))


def plan(*, at: datetime) -> int:
    """The worker's step: a letter to each leader of each group without a meeting next month."""
    groups = [group for group in _led(at) if _today(group, at).day >= FROM_DAY]
    empty = _without_a_meeting(groups, at)
    return outbox.plan(letter for group in empty for letter in _letters(group, at))


def _led(at: datetime) -> QuerySet[Group]:
    leads = Membership.objects.filter(
        during(at), group=OuterRef("pk"), role=MembershipRole.LEADER, member__is_active=True
    )
    met = Session.objects.filter(settled_at__isnull=False, group=OuterRef("pk"))
    over = ending.over(at).filter(group=OuterRef("pk"))
    return Group.objects.filter(Exists(leads), Exists(met), ~Exists(over)).order_by("pk")


def _without_a_meeting(groups: Iterable[Group], at: datetime) -> list[Group]:
    """Those of them that meet at least monthly and do not meet next month. Two queries."""
    by_id = {group.pk: group for group in groups}
    months = {pk: _month(group, at) for pk, group in by_id.items()}
    meets = {pk for pk, on in _dates(by_id, at) if months[pk][0] <= on <= months[pk][1]}
    slow = _slow(by_id)
    return [group for pk, group in by_id.items() if pk not in meets | slow]


def _dates(groups: dict[UUID, Group], at: datetime) -> Iterator[tuple[UUID, date]]:
    rows = Session.objects.filter(
        group__in=groups, settled_at__isnull=False, starts_at__gt=at, starts_at__lt=at + FURTHEST
    ).exclude(phase=Phase.CANCELLED)
    for session in rows.only("group_id", "starts_at", "time_zone"):
        yield session.group_id, session.starts_at.astimezone(session.zone).date()


def _slow(groups: Iterable[UUID]) -> set[UUID]:
    rows = Series.objects.filter(group__in=list(groups)).order_by("group", "-planned_at")
    rules = rows.distinct("group").values_list("group", "rule")
    return {group for group, rule in rules if Rule.from_code(rule).gap_days > MONTHLY}


def _letters(group: Group, at: datetime) -> Iterator[Letter]:
    first, _last = _month(group, at)
    begins = instant(_today(group, at).replace(day=FROM_DAY), AT, group.time_zone)
    leads = Membership.objects.filter(during(at), group=group, role=MembershipRole.LEADER)
    for row in leads.select_related("member"):
        yield outbox.letter(
            KIND,
            about=group.pk,
            version=_number(first),
            group_id=group.pk,
            recipient=row.member,
            send_after=after_quiet_hours(max(begins, at), row.member.time_zone, row.member.quiet),
            send_before=next_midnight(first - timedelta(days=1), group.time_zone),
        )


def _is_wanted(letter: Letter) -> bool:
    """Still a leader's, still that month, and still without a meeting."""
    at = timezone.now()
    group = _led(at).filter(pk=letter.about_id).first()
    if group is None or _number(_month(group, at)[0]) != letter.about_version:
        return False
    leads = Membership.objects.filter(
        during(at), group=group, member=letter.recipient, role=MembershipRole.LEADER
    )
    return leads.exists() and bool(_without_a_meeting([group], at))


def _compose(letter: Letter) -> Message:
    group = Group.objects.get(pk=letter.about_id)
    assert letter.recipient is not None  # noqa: S101  This letter goes to members only.
    month = date(letter.about_version // 12, letter.about_version % 12 + 1, 1)
    words = {
        "name": letter.recipient.first_name,
        "group": group.name_outside,
        "month": date_format(month, pgettext("month alone", "F")),
        "link": page("schedule", group.pk),
        "signature": [_("Balint")],
    }
    return message(_("%(group)s has no meeting in %(month)s") % words, "no_meeting", words)


def _today(group: Group, at: datetime) -> date:
    return at.astimezone(UTC).astimezone(group.zone).date()


def _month(group: Group, at: datetime) -> tuple[date, date]:
    """The coming month's first and last day, on the group's calendar."""
    first = (_today(group, at).replace(day=1) + timedelta(days=31)).replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _number(month: date) -> int:
    return month.year * 12 + month.month - 1
