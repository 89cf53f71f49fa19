"""The way into a group's pages: 404 for who may not, the agreement for who has not agreed yet."""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from groups.models import Group
from groups.policy import GRANTS, OFFICE, Action, Role, roles_of
from members.models import Member
from members.refusals import Refused


class MustAgree(Exception):
    """The person belongs to the group, but has not agreed to the version in force."""

    def __init__(self, group: Group) -> None:
        self.group = group
        super().__init__()


def person(request: HttpRequest) -> Member:
    """Who asks; every address behind this gate wants a signed-in person."""
    return cast(Member, request.user)


def enter(request: HttpRequest, pk: UUID, action: Action) -> Group:
    """The group, if the person may do `action` in it; else 404, or the agreement's page first."""
    group = Group.objects.select_related("programme").filter(pk=pk).first()
    if group is None:
        raise Http404
    check(request, group, action)
    return group


def check(request: HttpRequest, group: Group, action: Action) -> frozenset[Role]:
    """What the person is to the group, if that grants `action`; for objects already loaded.

    The office acts on its own pages alone; outside of them an admin sees dates, and no more.
    """
    roles = roles_of(person(request), group, timezone.now())
    counted = roles if action is Action.SEE_DATES else roles - OFFICE
    if any(action in GRANTS[role] for role in counted):
        return roles
    if Role.NEWCOMER in roles:
        raise MustAgree(group)
    raise Http404


class GateMiddleware:
    """Sends newcomers to the agreement, and answers a refusal no page took up with its sentence."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, MustAgree):
            return redirect("agreement", error.group.pk)
        if isinstance(error, Refused):
            return render(request, "409.html", {"sentence": str(error)}, status=409)
        return None
