"""Cases: told, remembered only by those who were there, and forgotten.

A case is put down and taken back by functions of the database, so that one who was not present can
do either and learn nothing by it. A title is the presenter's alone.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from groups.zones import date_words
from members import audit
from members.models import Member
from members.refusals import Refused
from sessions import visible
from sessions.functions import ask
from sessions.models import CasePresence, CasePresentation, Session
from sessions.phases import WITH_CASE

LONGEST_TITLE = 120
# Left out wherever a title has no business.
TITLE = CasePresentation.title.columns


class OnlyThePresenter(Refused):
    sentence = _("Only the person who told the case can do this.")


class NotYourEarlierCase(Refused):
    sentence = _("Choose one of your own earlier cases that is not forgotten yet.")


class AlreadyForgotten(Refused):
    sentence = _("This case is forgotten already.")


def of_session(session: Session, member: Member, at: datetime) -> list[CasePresentation]:
    """The cases of a session that `member` was present for, in order; one query."""
    seen = visible.cases(member, at).filter(session=session)
    found = list(seen.select_related("presenter", "session", "group").order_by("order"))
    for case in found:
        note_reading(case)
    return found


def note_reading(case: CasePresentation) -> None:
    """That somebody else than its presenter saw it; while it is told the app is not there."""
    if not case.being_told:
        group, of = case.group_id, case.presenter_id
        audit.note(audit.READ, audit.Thing.CASE, group=group, about=case.pk, of=of)


def being_told(session: Session, member: Member, at: datetime) -> CasePresentation | None:
    """The case being told now, if `member` is present for it; no title comes with it."""
    seen = visible.cases(member, at).filter(session=session, being_told=True)
    return seen.select_related("presenter").defer(*TITLE).first()


def present_for(case: CasePresentation) -> set[UUID]:
    """Who is present for a case the asking person may see."""
    return set(CasePresence.objects.filter(case=case).values_list("member", flat=True))


def forget_on(session: Session) -> date:
    """When the group forgets a case of this session that is put down now."""
    told_on = session.starts_at.astimezone(session.zone).date()
    return told_on + timedelta(days=session.group.keeps_cases_days)


def earlier(case: CasePresentation, at: datetime) -> QuerySet[CasePresentation]:
    """What a follow-up may follow: the presenter's own earlier cases in this group."""
    own = visible.told_by(case.presenter, at).filter(group=case.group_id)
    return (
        own.filter(session__starts_at__lt=case.session.starts_at)
        .select_related("session")
        .order_by("-session__starts_at")
    )


@sensitive_variables("title")
@transaction.atomic
def describe(
    case: CasePresentation,
    *,
    title: str,
    by: Member,
    at: datetime,
    follows: CasePresentation | None = None,
) -> None:
    """Set the title, and for a follow-up the earlier case; both may be empty, both are sealed off.

    Raises OnlyThePresenter, AlreadyForgotten or NotYourEarlierCase.
    """
    case = _own(case, by, at)
    if follows is not None and not _may_follow(case, follows, at):
        raise NotYourEarlierCase
    case.title = title.strip()[:LONGEST_TITLE]
    case.follows = follows
    case.save(update_fields=[*TITLE, "follows"])


def _may_follow(case: CasePresentation, follows: CasePresentation, at: datetime) -> bool:
    return case.follow_up and earlier(case, at).filter(pk=follows.pk).exists()


def _own(case: CasePresentation, by: Member, at: datetime) -> CasePresentation:
    if case.presenter_id != by.pk:
        raise OnlyThePresenter
    kept = visible.told_by(by, at).select_related("session", "presenter").filter(pk=case.pk)
    found = kept.select_for_update(of=("self",), no_key=True).first()
    if found is None:
        raise AlreadyForgotten
    return found


@transaction.atomic
def forget(case: CasePresentation, *, by: Member, at: datetime) -> None:
    """Forget a case at once: presenter, title, presence and links; one more in the group's count.

    While it is being told the room moves on, so that everybody's screen lets go of it too.
    """
    # The session first, as whoever takes a step does: neither waits for what the other holds.
    Session.objects.select_for_update(no_key=True).filter(pk=case.session_id).first()
    own = _own(case, by, at)
    ask("select balint_forget_case(%s)", own.pk)
    if own.being_told:
        running = Session.objects.filter(pk=own.session_id, runs_until__gt=at)
        running.update(step=F("step") + 1)


def put_down(
    session: Session,
    *,
    presenter: UUID,
    present: Iterable[UUID],
    follow_up: bool = False,
    told_now: bool = False,
) -> int | None:
    """A new case, with those present for it; its order if it is being told now, else nothing.

    For leaders, as the database checks; call it with the session's row locked. Nothing happens
    once the day has come on which the group forgets the session's cases.
    """
    asked = "select balint_put_down_case(%s, %s, %s, %s, %s, %s::uuid[])"
    return ask(asked, uuid4(), session.pk, presenter, follow_up, told_now, list(present))


def take_back(case: CasePresentation) -> None:
    """A case put down by mistake never was; for a leader who was present for it."""
    ask("select balint_take_back_case(%s)", case.pk)


def take_back_telling(session: Session) -> None:
    """The case being told was named by mistake and never was; for leaders."""
    ask("select balint_take_back_telling(%s)", session.pk)


def end_telling(session: Session) -> int | None:
    """Nobody tells any longer; the order of the case that was being told, for leaders."""
    return ask("select balint_end_telling(%s)", session.pk)


def tell_again(session: Session, order: int) -> None:
    """Take up the telling that a mistaken step ended; for leaders."""
    ask("select balint_tell_again(%s, %s)", session.pk, order)


def enter_case_being_told(session: Session) -> None:
    """The asking person, come late into the room, is present for the case being told."""
    ask("select balint_enter_case_being_told(%s)", session.pk)


def out_of_it(session: Session) -> frozenset[UUID]:
    """Who has stepped out of the case being worked on; all for leaders, else oneself alone."""
    if session.phase not in WITH_CASE:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute("select public.balint_out_of_case(%s)", [session.pk])
        return frozenset(cursor.fetchone()[0])


def step_out(session: Session, person: UUID) -> bool:
    """Not present for the case, and out of the room; for oneself or by leaders. Never who tells."""
    return bool(ask("select balint_step_out(%s, %s)", session.pk, person))


def let_back_in(session: Session, person: UUID) -> bool:
    """The case may be heard again; by leaders, never for oneself."""
    return bool(ask("select balint_let_back_in(%s, %s)", session.pk, person))


def leave_out(session: Session) -> None:
    """Whoever stepped out of this case before is not present for it; for leaders."""
    ask("select balint_leave_out(%s)", session.pk)


def until_words(on: date, today: date) -> str:
    """“19 March”, with its year when that is another."""
    return date_words(on, with_year=on.year != today.year)
