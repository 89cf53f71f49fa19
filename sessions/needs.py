"""What waits for somebody: a leader's yes, one minute after a meeting, a year without dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _

from groups import ending
from groups.models import Ending, Group, Membership, MembershipRole, Proposal, ProposedRole, during
from groups.policy import OFFICE, Action, Role, agreement_in_force, groups_where
from groups.zones import date_words
from members.models import Member
from sessions.answers import day_of
from sessions.calendar import month_words
from sessions.dates import Entry, Viewer
from sessions.models import DatesReply, Series, Session
from sessions.phases import Phase

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

# Longer ago, nobody remembers who was there; it stays unknown.
PUT_DOWN_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class Need:
    """One thing in one sentence, and where to do it."""

    words: str
    label: str
    url: str


@dataclass(frozen=True)
class Concern:
    """A group of the office, and what it lacks."""

    group: Group
    lacks: Sequence[str]


class Known(TypedDict):
    """What the database says of proposed dates: whether the person has looked, or proposed them."""

    is_known: bool


class Has(TypedDict):
    """What the database says a group has, beside its row."""

    is_led: bool
    has_dates: bool
    has_agreement: bool
    is_over: bool
    waits_since: datetime | None


def of_leaders(viewer: Viewer, ahead: Sequence[Entry]) -> list[Need]:
    """What needs the person: tonight first, then the evening behind, then people, then dates.

    Whether they can on proposed dates is asked of everyone.

    `ahead` are the person's coming dates. Three queries more, none for who leads no group and
    whose groups have a leader.
    """
    return [
        *_tonight(viewer, ahead),
        *_not_put_down(viewer),
        *_proposed(viewer),
        *_proposals(viewer),
        *_endings(viewer),
        *_no_dates(viewer, ahead),
    ]


def of_office(member: Member, at: datetime) -> list[Concern]:
    """The programmes' groups that lack a leader, dates or an agreement, or wait for an answer."""
    concerns = [Concern(group, _lacks(group)) for group in _looked_after(member, at)]
    return [concern for concern in concerns if concern.lacks]


def _tonight(viewer: Viewer, ahead: Sequence[Entry]) -> list[Need]:
    leads = viewer.as_(Role.LEADER)
    return [
        Need(
            _("%(group)s meets today, %(times)s.")
            % {"group": entry.group, "times": entry.when.times},
            _("Before you open the door"),
            reverse("before", args=[entry.session.pk]),
        )
        for entry in ahead
        if entry.session.group_id in leads
        and entry.takes_place
        and entry.on == viewer.at.astimezone(entry.session.zone).date()
    ]


def _not_put_down(viewer: Viewer) -> list[Need]:
    """Each led group’s last meeting, if the person led it then and it is not put down."""
    lasts = (
        Session.objects.filter(
            group__in=viewer.where(Action.PUT_DOWN),
            settled_at__isnull=False,
            starts_at__lt=viewer.at,
            starts_at__gt=viewer.at - PUT_DOWN_WITHIN,
        )
        .exclude(phase=Phase.CANCELLED)
        .filter(_led_by(viewer))
        .select_related("group")
        .order_by("group", "-starts_at")
        .distinct("group")
    )
    return [_afterwards(session) for session in lasts if _waits_to_be_put_down(session, viewer.at)]


def _led_by(viewer: Viewer) -> Exists:
    held = Membership.objects.filter(
        during(viewer.at),
        group=OuterRef("group"),
        member=viewer.member,
        role=MembershipRole.LEADER,
        starts_at__lte=OuterRef("starts_at"),
    )
    return Exists(held)


def _waits_to_be_put_down(session: Session, at: datetime) -> bool:
    return session.put_down_at is None and session.ends_at <= at and not session.is_open


def _afterwards(session: Session) -> Need:
    words = {"group": session.group, "date": date_words(day_of(session))}
    sentence = (
        _("%(group)s met on %(date)s. It was left open and closed itself in the morning.")
        if session.closed_itself
        else _("%(group)s met on %(date)s, and nothing is put down yet.")
    )
    return Need(
        sentence % words,
        _("Afterwards, one minute"),
        reverse("afterwards", args=[session.pk]),
    )


def _proposed(viewer: Viewer) -> list[Need]:
    """Dates that are proposed: to mark, for who has not looked, and for leaders to settle."""
    looked = DatesReply.objects.filter(
        series=OuterRef("pk"), member=viewer.member, replied_at__gte=OuterRef("proposed_at")
    )
    ahead = Session.objects.filter(
        series=OuterRef("pk"), settled_at=None, phase=Phase.PLANNED, starts_at__gt=viewer.at
    )
    asked = (
        Series.objects.filter(
            Exists(ahead),
            group__in=viewer.where(Action.ANSWER),
            proposed_at__isnull=False,
            settled_at=None,
        )
        .select_related("group")
        .alias(looked=Exists(looked))
        .annotate(is_known=Q(looked=True) | Q(planned_by=viewer.member))
        .order_by("group__name", "group", "is_known")
    )
    first_of_group: dict[UUID, WithAnnotations[Series, Known]] = {}
    for series in asked:
        first_of_group.setdefault(series.group_id, series)
    return [need for series in first_of_group.values() for need in _to_do(series, viewer)]


def _to_do(series: "WithAnnotations[Series, Known]", viewer: Viewer) -> list[Need]:
    group = {"group": series.group}
    needs = []
    if not series.is_known:
        sentence = _("Dates are proposed to %(group)s, and nothing is settled yet.") % group
        url = reverse("dates_answer", args=[series.group_id])
        needs.append(Need(sentence, _("Say which you cannot"), url))
    if series.group_id in viewer.where(Action.PLAN):
        sentence = _("The dates proposed to %(group)s are not settled yet.") % group
        needs.append(
            Need(sentence, _("Settle them"), reverse("dates_settle", args=[series.group_id]))
        )
    return needs


def _proposals(viewer: Viewer) -> list[Need]:
    """Proposals this person has to answer: a leader's, and all members' where nobody leads."""
    led = Membership.objects.filter(
        during(viewer.at), group=OuterRef("group"), role=MembershipRole.LEADER
    )
    as_leader = Q(group__in=viewer.where(Action.ANSWER_PROPOSAL))
    as_member = Q(
        ~Exists(led),
        role=ProposedRole.LEADER,
        group__in=viewer.where(Action.CONSENT_TO_LEADER),
    )
    asked = (
        Proposal.objects.filter(Proposal.OPEN, as_leader | as_member, consented_at=None)
        .exclude(proposed_by=viewer.member)
        .exclude(consents__member=viewer.member)
        .select_related("group")
        .order_by("proposed_at")
    )
    return [_proposal(proposal) for proposal in asked]


def _proposal(proposal: Proposal) -> Need:
    words = {"name": proposal.name or proposal.address, "group": proposal.group}
    sentence = (
        _("%(name)s is proposed as a leader of %(group)s. Your yes is needed.")
        if proposal.role == ProposedRole.LEADER
        else _("%(name)s is proposed for %(group)s.")
    )
    return Need(sentence % words, _("Answer"), reverse("roster", args=[proposal.group_id]))


def _endings(viewer: Viewer) -> list[Need]:
    asked = (
        Ending.objects.filter(
            group__in=viewer.where(Action.END_MEMBERSHIP), withdrawn_at=None, confirmed_at=None
        )
        .exclude(consents__member=viewer.member)
        .select_related("group", "membership__member")
        .order_by("asked_at")
    )
    return [
        Need(
            _("It is asked that %(name)s leaves %(group)s. Your yes or no is needed.")
            % {"name": ending.membership.member, "group": ending.group},
            _("Answer"),
            reverse("roster", args=[ending.group_id]),
        )
        for ending in asked
    ]


def _no_dates(viewer: Viewer, ahead: Sequence[Entry]) -> list[Need]:
    """Groups the person leads without a meeting in the coming month."""
    first, last = _coming_month(viewer.today)
    standing = {
        entry.session.group_id for entry in ahead if entry.takes_place and first <= entry.on <= last
    }
    empty = viewer.as_(Role.LEADER) - standing
    return [
        Need(
            _("%(group)s has no meeting in %(month)s.")
            % {"group": group, "month": month_words(first)},
            _("The year"),
            reverse("schedule", args=[group.pk]),
        )
        for group in (Group.objects.filter(pk__in=empty).order_by("name", "pk") if empty else ())
    ]


def _coming_month(today: date) -> tuple[date, date]:
    first = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _looked_after(member: Member, at: datetime) -> "QuerySet[WithAnnotations[Group, Has]]":
    """The office's groups with what they have, in one query."""
    of_group = {"group": OuterRef("pk")}
    dates = Session.objects.filter(settled_at__isnull=False, starts_at__gt=at, **of_group)
    unanswered = Proposal.objects.filter(Proposal.OPEN, consented_at=None, **of_group)
    return (
        groups_where(member, Action.SEE_GROUP_LIST, at, roles=OFFICE)
        .select_related("programme")
        .annotate(
            is_led=Exists(
                Membership.objects.filter(during(at), role=MembershipRole.LEADER, **of_group)
            ),
            has_dates=Exists(dates.exclude(phase=Phase.CANCELLED)),
            has_agreement=Exists(agreement_in_force(OuterRef("pk"), at)),
            is_over=Exists(ending.over(at).filter(**of_group)),
            waits_since=Subquery(unanswered.order_by("proposed_at").values("proposed_at")[:1]),
        )
        .order_by("programme__name", "name", "pk")
    )


def _lacks(group: "WithAnnotations[Group, Has]") -> list[str]:
    if group.is_over and not (group.is_led or group.waits_since):
        return []
    lacks = {
        _("no leader yet"): not group.is_led,
        _("no dates ahead"): not group.has_dates,
        _("no agreement"): not group.has_agreement,
    }
    words = [word for word, lacking in lacks.items() if lacking]
    if group.waits_since:
        since = date_words(group.waits_since.astimezone(group.zone).date())
        words.append(_("a proposal unanswered since %(date)s") % {"date": since})
    return words
