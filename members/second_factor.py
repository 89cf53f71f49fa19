"""Who leads a group or looks after a programme signs in with a second factor.

Higher apps say who that is. Until such a person has one, the account's pages are all there is, and
the last one cannot be taken away.
"""

from collections.abc import Callable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final, cast

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_removed
from django.conf import settings
from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect

from members import sitting
from members.models import Member

HAS: Final = "second_factor"
FACTORS: Final = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
# Of a member: `needed_by(at)` is true of those who must have one.
needed_by: list[Callable[[datetime], Q]] = []
# Setting one up, the own profile, and what anybody may open.
STAY_OPEN: Final = ("/accounts/", "/about/", "/invitations/", "/demo/")
ALONE: Final = {"/settings/"}
PLEASE = _(
    "You lead a group or look after one. Before you go on, please add a passkey or an "
    "authenticator app: what is told in a group is as safe as your sign-in."
)
STAYS = _(
    "Whoever leads a group or looks after one keeps a second factor. "
    "Set up another one first, then this one can go."
)


def needs(at: datetime) -> Q:
    """Of members: those who must have one at `at`."""
    return reduce(or_, (condition(at) for condition in needed_by), Q(pk__in=[]))


def listen() -> None:
    """Whoever takes one away is asked about anew."""
    authenticator_removed.connect(_removed, dispatch_uid="members.second_factor")


def _removed(sender: Any, request: HttpRequest, **more: Any) -> None:
    request.session.pop(HAS, None)


def may_go(authenticator: Authenticator, *, at: datetime) -> bool:
    """Whether this one may be taken away: of those who must have one, the last may not."""
    if not settings.SECOND_FACTOR_REQUIRED or authenticator.type not in FACTORS:
        return True
    others = Authenticator.objects.filter(user=authenticator.user_id, type__in=FACTORS)
    if others.exclude(pk=authenticator.pk).exists():
        return True
    return not Member.objects.filter(needs(at), pk=authenticator.user_id).exists()


class SecondFactorMiddleware:
    """Stands before the transaction: the office's database role may look at no second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _may_pass(request):
            return self.get_response(request)
        messages.warning(request, PLEASE)
        page = reverse("mfa_index")
        if "HX-Request" in request.headers:
            return HttpResponseClientRedirect(page)
        return redirect(page)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """allauth asks its adapter before an app goes, but not before a passkey does."""
        match = request.resolver_match
        if match is None or match.url_name != "mfa_remove_webauthn":
            return None
        own = Authenticator.objects.filter(pk=kwargs["pk"], user=cast(Member, request.user).pk)
        if all(may_go(one, at=timezone.now()) for one in own):
            return None
        page = {"sentence": STAYS, "back_url": reverse("mfa_list_webauthn")}
        return render(request, "409.html", page, status=409)


def _may_pass(request: HttpRequest) -> bool:
    """One query, and none once it is known that there is a second factor."""
    if not settings.SECOND_FACTOR_REQUIRED or not sitting.watched(request):
        return True
    path = request.path_info
    if path.startswith(STAY_OPEN) or path in ALONE or not request.user.is_authenticated:
        return True
    if request.session.get(HAS):
        return True
    now = timezone.now()
    has, must = _asked(request.user, now)
    if has:
        request.session[HAS] = True
    # A meeting that runs is not interrupted, not even for somebody who leads since a minute.
    return has or not must or any(goes_on(request, now) for goes_on in sitting.exempt)


def _asked(member: Member, at: datetime) -> tuple[bool, bool]:
    own = Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)
    must = Member.objects.filter(needs(at), pk=OuterRef("pk"))
    rows = Member.objects.filter(pk=member.pk).values_list(Exists(own), Exists(must))
    return cast(tuple[bool, bool], rows.get())
