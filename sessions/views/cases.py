"""A case, for those who were there."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from groups.gate import person
from groups.roster import names
from groups.zones import day_words
from members.refusals import Refused
from sessions import cases as told
from sessions import kept as keeping
from sessions import visible
from sessions.forms.evening import TitleForm
from sessions.models import CasePresentation


@require_safe
def case(request: HttpRequest, pk: UUID) -> HttpResponse:
    """That it was told, by whom, when, and until when it is kept; the presenter gives the title."""
    at = timezone.now()
    found = _seen(request, pk, at)
    form = _form(found, at) if found.presenter_id == person(request).pk else None
    return _page(request, found, form, at)


@sensitive_variables("title", "form")
@sensitive_post_parameters("title")
@require_http_methods(["POST"])
def case_title(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The presenter's title, and which earlier case it follows; either may stay empty."""
    at = timezone.now()
    found = get_object_or_404(_cases(request, at).filter(presenter=person(request)), pk=pk)
    form = _form(found, at, request.POST)
    if not form.is_valid():
        return _page(request, found, form, at)
    try:
        follows = told.earlier(found, at).filter(pk__in=_chosen(form)).first()
        title = form.cleaned_data["title"]
        told.describe(found, title=title, follows=follows, by=person(request), at=at)
    except Refused as refused:
        form.add_error(None, str(refused))
        return _page(request, found, form, at, status=409)
    messages.success(request, _("Saved."))
    return redirect("case", pk)


@require_http_methods(["GET", "HEAD", "POST"])
def case_forget(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask once, then forget; for whoever told it, also after leaving the group."""
    at = timezone.now()
    found = get_object_or_404(keeping.told(person(request), at), pk=pk)
    if request.method == "POST":
        told.forget(found, by=person(request), at=at)
        messages.success(request, _("Forgotten."))
        return redirect("settings_kept")
    return render(request, "sessions/case_forget.html", {"case": found, "on": _day(found)})


def _cases(request: HttpRequest, at: datetime) -> QuerySet[CasePresentation]:
    seen = visible.cases(person(request), at)
    return seen.select_related("presenter", "session", "group")


def _seen(request: HttpRequest, pk: UUID, at: datetime) -> CasePresentation:
    return get_object_or_404(_cases(request, at), pk=pk)


def _form(found: CasePresentation, at: datetime, data: QueryDict | None = None) -> TitleForm:
    earlier = None
    if found.follow_up:
        earlier = [(str(case.pk), _choice(case)) for case in told.earlier(found, at)]
    initial = {"title": found.title, "follows": found.follows_id}
    return TitleForm(data, initial=initial, earlier=earlier, names=names(found.group, at))


def _chosen(form: TitleForm) -> list[str]:
    return [pk for pk in [form.cleaned_data.get("follows")] if pk]


def _choice(case: CasePresentation) -> str:
    return f"{_day(case)}: {case.title}" if case.title else _day(case)


def _day(case: CasePresentation) -> str:
    return day_words(case.session.starts_at.astimezone(case.session.zone).date())


def _page(
    request: HttpRequest,
    found: CasePresentation,
    form: TitleForm | None,
    at: datetime,
    status: int = 200,
) -> HttpResponse:
    linked = [found.follows_id] if found.follows_id else []
    followed = _cases(request, at).filter(pk__in=linked).first()
    for shown in filter(None, [found, followed]):
        told.note_reading(shown)
    context = {
        "case": found,
        "form": form,
        "on": _day(found),
        "until": told.until_words(found.forget_on, at.date()),
        "followed": followed,
        "followed_on": _day(followed) if followed else "",
    }
    return render(request, "sessions/case.html", context, status=status)
