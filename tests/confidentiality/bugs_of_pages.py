"""Bugs of the application, each tried with row-level security off, where nothing else helps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from groups import gate as group_gate
from groups import invitations, joining, policy
from groups.models import (
    Entrance,
    Group,
    Leave,
    Membership,
    ProgrammeAdmin,
    Proposal,
    during,
)
from groups.policy import CONDITIONS, GRANTS, Action, Role
from members.models import Member
from sessions import conduct, feeds, kept, visible, whereabouts
from sessions import gate as session_gate
from sessions.models import CalendarFeed, CasePresence, CasePresentation, Reflection, Session
from sessions.views import office
from tests.confidentiality.bugs import (
    Bug,
    Patch,
    after_the_end,
    at_address,
    attribute,
    changed,
    found,
    requests,
)
from tests.confidentiality.layers import EVERYTHING, put_in_place
from tests.confidentiality.matrix import Matrix
from tests.world import as_owner


def instead(function: Callable[..., Any], other: Callable[..., Any]) -> Patch:
    return lambda: put_in_place(function, other)


def granted(role: Role, *actions: Action) -> Patch:
    return lambda: changed(GRANTS, role, GRANTS[role] | set(actions))


# Cases


def _present(member: Member) -> Q:
    return Q(Exists(CasePresence.objects.filter(case=OuterRef("pk"), member=member)))


def _inside(member: Member, at: Any) -> Q:
    return Q(group__in=policy.groups_where(member, Action.ENTER, at))


def cases_of_the_group(member: Member, at: Any) -> Any:
    return CasePresentation.objects.filter(_inside(member, at), forget_on__gt=at.date())


def cases_for_ever(member: Member, at: Any) -> Any:
    return CasePresentation.objects.filter(_present(member), forget_on__gt=at.date())


def cases_overdue(member: Member, at: Any) -> Any:
    return CasePresentation.objects.filter(_present(member), _inside(member, at))


def told_by_anybody(member: Member, at: Any) -> Any:
    return CasePresentation.objects.filter(forget_on__gt=at.date())


def anybody_s_title(request: Any, pk: Any) -> Any:
    case = get_object_or_404(visible.cases(request.user, timezone.now()), pk=pk)
    case.title = request.POST["title"]
    case.save(update_fields=CasePresentation.title.columns)
    return redirect("case", pk)


# Roles


def ended_counted(member: Member, at: Any, **more: str) -> Q:
    return Q(Exists(Membership.objects.filter(group=OuterRef("pk"), member=member, **more)))


def admin_of_own_group(member: Member, at: Any) -> Q:
    held = ProgrammeAdmin.objects.filter(during(at), programme=OuterRef("programme"), member=member)
    return Q(Exists(held))


real_roles_of = policy.roles_of
real_groups_where = policy.groups_where
real_check = group_gate.check
real_refused = session_gate._refused


def superuser_may(member: Member, group: Group, at: Any) -> Any:
    return EVERYTHING if member.is_superuser else real_roles_of(member, group, at)


@contextmanager
def cached_roles() -> Iterator[None]:
    known: dict[Any, Any] = {}

    def roles(member: Member, group: Group, at: Any) -> Any:
        key = member.pk, group.pk
        return known.setdefault(key, real_roles_of(member, group, at))

    with put_in_place(policy.roles_of, roles):
        yield


def roles_ignored(member: Member, action: Action, at: Any, **roles: Any) -> Any:
    return real_groups_where(member, action, at)


# Gates


def enter_unchecked(request: Any, pk: Any, action: Action) -> Group:
    return get_object_or_404(Group.objects.select_related("programme"), pk=pk)


def check_but_head(request: Any, group: Group, action: Action) -> Any:
    return EVERYTHING if request.method == "HEAD" else real_check(request, group, action)


def presenter_may_post(request: Any, session: Session, at: Any, methods: Any, **more: Any) -> Any:
    return real_refused(request, session, at, methods, while_listening=True)


def circle_as_of_now(member: Member, at: Any, role: str | None = None) -> Any:
    roles = Q(role=role) if role else Q()
    belongs = Membership.objects.filter(roles, during(at), group=OuterRef("group"), member=member)
    away = Leave.objects.filter(during(at), group=OuterRef("group"), member=member)
    return visible.running(at).filter(Exists(belongs), ~Exists(away))


def conducted_by_whoever_leads(member: Member, at: Any) -> Any:
    leads = Q(group__in=policy.groups_where(member, Action.CONDUCT, at))
    return Session.objects.filter(leads)


def link_at_any_time(session: Session, by: Member, at: Any) -> str:
    entrance = Entrance.objects.filter(group=session.group_id).first()
    return entrance.join_link if entrance else ""


# Addresses with two ids


def group_of_any_programme(request: Any, programme_pk: Any, pk: Any) -> Group:
    return get_object_or_404(Group.objects.select_related("programme"), pk=pk)


def member_of_any_group(request: Any, pk: Any, membership_pk: Any, how: str) -> Any:
    group = group_gate.enter(request, pk, Action.SEE_LEAVES)
    membership = get_object_or_404(Membership, pk=membership_pk)
    now = timezone.now()
    away = {"group": membership.group, "member": membership.member, "starts_at": now}
    Leave.objects.create(**away)
    return redirect("roster", group.pk)


# Proposals, tokens, one's own page


def yes_by_anybody(proposal: Proposal, *, yes: bool, by: Member, at: Any) -> Proposal:
    proposal.consented_at = at
    proposal.save(update_fields=["consented_at"])
    return proposal


def read_whatever_was_sent(text: str, *, at: Any) -> Proposal | None:
    for proposal in Proposal.objects.select_related("programme", "group"):
        for sends in range(1, proposal.sends + 1):
            proposal.sends = sends
            if invitations.token(proposal) == text and proposal.is_open:
                return proposal
    return None


@contextmanager
def token_by_its_beginning() -> Iterator[None]:
    real = feeds._hash

    def beginning(token: str) -> str:
        return real(token[:30])

    def find(token: str, *, at: Any) -> Any:
        with put_in_place(feeds._hash, beginning):
            return real_find(token, at=at)

    real_find = feeds.find
    with put_in_place(feeds.find, find):
        yield


def cut_token(matrix: Matrix) -> list[str]:
    """A token that lost its last letter, where the one kept is known by its beginning too."""
    with transaction.atomic():
        with as_owner():
            whole = matrix.world.a.feed
            feed = CalendarFeed.objects.get(member=matrix.world.a.circle.member)
            CalendarFeed.objects.filter(pk=feed.pk).update(token_hash=feeds._hash(whole[:30]))
        matrix.watch.look_away()
        said = found(matrix, list(matrix.some("feed", "feed_holder", "GET", state="cut")))
        transaction.set_rollback(True)
    matrix.watch.look_away()
    return said


@contextmanager
def page_kept_for_the_next() -> Iterator[None]:
    first: list[Any] = []
    real = kept.about

    def about(member: Member, at: Any) -> Any:
        if not first:
            first.append(real(member, at))
        return first[0]

    with put_in_place(kept.about, about):
        yield


@cache
def bugs() -> tuple[Bug, ...]:
    """Those of the application."""
    return (
        Bug(
            "cases are the whole group's",
            instead(visible.cases, cases_of_the_group),
            requests("case", "absent", "second_leader"),
            cheap=True,
        ),
        Bug(
            "cases stay with who left",
            instead(visible.cases, cases_for_ever),
            requests("case", "former_leader"),
        ),
        Bug(
            "a case is seen after its day",
            instead(visible.cases, cases_overdue),
            requests("case", "member", "presenter", state="due"),
        ),
        Bug(
            "anybody forgets anybody's case",
            instead(visible.told_by, told_by_anybody),
            requests("case_forget", "leader", by="GET POST", state="told"),
        ),
        Bug(
            "a title is anybody's who was there",
            lambda: at_address("case_title", anybody_s_title),
            requests("case_title", "member", by="POST", state="told"),
        ),
        Bug(
            "members see leaves",
            granted(Role.MEMBER, Action.SEE_LEAVES),
            requests("roster", "member"),
        ),
        Bug(
            "a reflection is anybody's who has its address",
            instead(visible.reflections, lambda member: Reflection.objects.all()),
            requests("reflection_edit", "leader", by="GET POST"),
        ),
        Bug(
            "admins enter",
            granted(Role.ADMIN, Action.ENTER),
            requests("room", "admin", state="held"),
            cheap=True,
        ),
        Bug(
            "nobody need agree",
            lambda: attribute(policy, "_agreed", lambda *given: Exists(Member.objects.all())),
            requests("roster", "newcomer"),
            cheap=True,
        ),
        Bug(
            "leave is ignored",
            lambda: attribute(policy, "_away", lambda *given: Exists(Member.objects.none())),
            requests("roster", "on_leave"),
        ),
        Bug(
            "ended memberships count",
            lambda: attribute(policy, "_inside", ended_counted),
            requests("room_now", "former", "former_leader", state="running"),
        ),
        Bug(
            "an admin is admin of the own group",
            lambda: changed(CONDITIONS, Role.ADMIN, admin_of_own_group),
            requests("programme_group", "admin_in_b", of="there"),
        ),
        Bug(
            "a superuser is somebody",
            instead(policy.roles_of, superuser_may),
            requests("group", "superuser"),
        ),
        Bug("roles are cached", cached_roles, after_the_end("member")),
        Bug(
            "the office's pages ask for any role",
            instead(policy.groups_where, roles_ignored),
            requests("programme", "admin"),
        ),
        Bug(
            "a view without its check",
            instead(group_gate.enter, enter_unchecked),
            requests("group_edit", "outsider", by="GET POST"),
            cheap=True,
        ),
        Bug(
            "HEAD is not checked",
            instead(group_gate.check, check_but_head),
            requests("group", "outsider", by="HEAD"),
        ),
        Bug(
            "leaders' pages are for all inside",
            instead(session_gate.led, session_gate.inside),
            requests("before", "member", state="planned"),
        ),
        Bug(
            "who sits back may post",
            instead(session_gate._refused, presenter_may_post),
            requests("room_step", "presenter", by="POST PUT", state="running"),
        ),
        Bug(
            "anybody inside conducts",
            instead(conduct.may_conduct, lambda *given: True),
            requests("room_step", "member", by="POST", state="running"),
        ),
        Bug(
            "the circle is that of now",
            instead(visible.circle, circle_as_of_now),
            requests("room", "late_member", "just_left", state="running"),
        ),
        Bug(
            "a new leader inherits",
            instead(visible.conducted, conducted_by_whoever_leads),
            requests("before", "new_leader", state="held"),
        ),
        Bug(
            "the link is shown at any time",
            instead(whereabouts.join_link, link_at_any_time),
            requests("session", "member", state="planned"),
        ),
        Bug(
            "a group under any programme",
            instead(office._group, group_of_any_programme),
            requests("programme_group", "admin", of="mixed"),
        ),
        Bug(
            "a member of any group under one's own",
            lambda: at_address("roster_away", member_of_any_group),
            requests("roster_away", "leader", by="POST", of="mixed"),
        ),
        Bug(
            "the own proposal is confirmed",
            instead(joining.answer, yes_by_anybody),
            requests("proposal_answer", "admin", by="POST", state="open"),
            cheap=True,
        ),
        Bug(
            "an invitation sent before still opens",
            instead(invitations.read, read_whatever_was_sent),
            requests("invitation", "anonymous", state="superseded"),
        ),
        Bug("a token is known by its beginning", token_by_its_beginning, cut_token),
        Bug(
            "one's own page is kept for the next",
            page_kept_for_the_next,
            requests("settings_kept", "member", "outsider"),
        ),
    )
