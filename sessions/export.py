"""A person's own data as JSON: what their pages show of themselves, and never more.

Nobody else stands in it: no name but the own one and those of groups, no word of another, not who
put a presence down or who told the case one was present for. Instants are UTC, each with the zone
it was meant in. A text whose seal does not open is null. `VERSION` counts up when something that
stood there is renamed or left out.
"""

import json
from datetime import UTC, datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from groups.models import (
    Acceptance,
    Ending,
    Group,
    Leave,
    Membership,
    Preference,
    ProgrammeAdmin,
)
from members import audit
from members.models import Letter, Member, Phone
from sessions import kept, visible, words
from sessions.models import (
    Answer,
    Attendance,
    CalendarFeed,
    CasePresence,
    CasePresentation,
    DatesReply,
    EveningLead,
    NoticeSeen,
    Session,
)

FORMAT, VERSION = "balint-export", 1

Entry = dict[str, Any]


@sensitive_variables()
def take(*, by: Member, at: datetime) -> bytes:
    """The whole file, as bytes; that it was taken is put on record."""
    content = json.dumps(of(by, at), ensure_ascii=False, indent=2)
    audit.note(audit.EXPORTED, audit.Thing.ACCOUNT)
    return content.encode()


@sensitive_variables()
def of(member: Member, at: datetime) -> Entry:
    """Everything that is the person's own, in a constant number of queries."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": _instant(at),
        "account": _account(member),
        "signing_in": _signing_in(member),
        "groups": _groups(member),
        "meetings": _meetings(member),
        "cases_told": _cases_told(member, at),
        "cases_present_for": CasePresence.objects.filter(member=member).count(),
        "reflections": _reflections(member),
        "words_as_a_leader": _words(member, at),
        "letters": _letters(member),
    }


# The person


def _account(member: Member) -> Entry:
    phone = Phone.objects.filter(member=member).first()
    offices = ProgrammeAdmin.objects.filter(member=member).select_related("programme")
    addresses = EmailAddress.objects.filter(user=member).order_by("-primary", "email")
    return {
        "name": member.name,
        "email": member.email,
        "addresses": [{"email": row.email, "confirmed": row.verified} for row in addresses],
        "profession": member.profession,
        "phone": phone.number if phone else None,
        "time_zone": member.time_zone,
        "quiet_from": f"{member.quiet_from:%H:%M}",
        "quiet_until": f"{member.quiet_until:%H:%M}",
        "calendar_entries_by_mail": member.calendar_mail,
        "language": member.language,
        "since": _instant(member.joined_at),
        "offices": [
            {"programme": row.programme.name} | _from_until(row)
            for row in offices.order_by("starts_at")
        ],
    }


def _signing_in(member: Member) -> Entry:
    """Kinds and dates alone: nothing that signs in, and not where from."""
    feed = CalendarFeed.objects.filter(member=member).first()
    devices = UserSession.objects.filter(user=member).order_by("created_at")
    factors = Authenticator.objects.filter(user=member).order_by("created_at")
    return {
        "devices": [
            {"since": _instant(row.created_at), "last_seen_at": _instant(row.last_seen_at)}
            for row in devices
        ],
        "second_factors": [
            {
                "kind": row.type,
                "since": _instant(row.created_at),
                "last_used_at": _instant(row.last_used_at),
            }
            for row in factors
        ],
        "calendar_address_since": _instant(feed.made_at) if feed else None,
    }


def _letters(member: Member) -> list[Entry]:
    rows = Letter.objects.filter(recipient=member).order_by("send_after", "pk")
    return [
        {
            "kind": row.kind,
            "state": row.state,
            "due_at": _instant(row.send_after),
            "sent_at": _instant(row.accepted_at),
        }
        for row in rows
    ]


# Groups


def _groups(member: Member) -> Entry:
    own = {"member": member}
    return {
        "memberships": [
            _of(row.group) | {"role": row.role} | _from_until(row)
            for row in Membership.objects.filter(**own).select_related("group").order_by(*OLDEST)
        ],
        "wishes": [
            _of(row.group)
            | {
                "reminders": row.reminders,
                "reminder_days": row.reminder_days or [],
                "shares_phone": row.shares_phone,
            }
            for row in Preference.objects.filter(**own).select_related("group").order_by("pk")
        ],
        "times_away": [
            _of(row.group) | _from_until(row) | {"reason": kept.opened(row, "reason")}
            for row in Leave.objects.filter(**own).select_related("group").order_by(*OLDEST)
        ],
        "agreed": [
            _of(row.group)
            | {"version": row.agreement.version, "agreed_at": _instant(row.accepted_at)}
            for row in Acceptance.objects.filter(**own)
            .select_related("group", "agreement")
            .order_by("accepted_at", "pk")
        ],
        "farewells_asked_for": _farewells(member),
    }


OLDEST = ("starts_at", "pk")


def _farewells(member: Member) -> list[Entry]:
    """What one asked for oneself; what others wish stands in nobody's file."""
    rows = Ending.objects.filter(membership__member=member, asked_by=member)
    reasons = {row.ending_id: row for row in kept.leaving_reasons(member)}
    return [
        _of(row.group)
        | {
            "asked_at": _instant(row.asked_at),
            "ends_at": _instant(row.ends_at),
            "withdrawn_at": _instant(row.withdrawn_at),
            "reason": kept.opened(reasons[row.pk], "text") if row.pk in reasons else "",
        }
        for row in rows.select_related("group").order_by("asked_at", "pk")
    ]


# Meetings


def _meetings(member: Member) -> Entry:
    came = Attendance.objects.filter(member=member).select_related("session__group")
    answers = Answer.objects.filter(member=member).select_related("session__group")
    return {
        "attendance": [
            _at(row.session) | {"there": row.present} for row in came.order_by(*BY_MEETING)
        ],
        "could_not_come": [
            _at(row.session)
            | {
                "on": row.on.isoformat(),
                "reason": kept.opened(row, "reason"),
                "answered_at": _instant(row.answered_at),
            }
            for row in answers.order_by(*BY_MEETING)
        ],
        "proposed_dates_looked_at": [
            _of(row.group) | {"at": _instant(row.replied_at)}
            for row in DatesReply.objects.filter(member=member)
            .select_related("group")
            .order_by("replied_at", "pk")
        ],
        "notices_seen": [
            _at(row.session) | {"at": _instant(row.seen_at)}
            for row in NoticeSeen.objects.filter(member=member)
            .select_related("session__group")
            .order_by(*BY_MEETING)
        ],
        "stood_in": [_stood_in(row) for row in _evenings(member).order_by(*BY_MEETING)],
    }


def _evenings(member: Member) -> QuerySet[EveningLead]:
    """Evenings the person was asked to lead once; of the group they know what it is called."""
    return EveningLead.objects.filter(member=member).select_related("session__group")


def _stood_in(row: EveningLead) -> Entry:
    meeting = _at(row.session) | {"group": row.session.group.name_outside}
    return meeting | {"asked_at": _instant(row.at), "agreed_at": _instant(row.agreed_at)}


BY_MEETING = ("session__starts_at", "pk")


def _cases_told(member: Member, at: datetime) -> list[Entry]:
    """Of groups one is inside with their titles; of the others the dates, as on every page."""
    told = visible.told_by(member, at).select_related("session__group")
    inside = set(visible.cases(member, at).filter(presenter=member).values_list("pk", flat=True))
    return [
        _at(row.session)
        | {"forgotten_on": row.forget_on.isoformat()}
        | (_told(row) if row.pk in inside else {})
        for row in told.order_by(*BY_MEETING)
    ]


def _told(row: CasePresentation) -> Entry:
    return {"follow_up": row.follow_up, "title": kept.opened(row, "title")}


def _reflections(member: Member) -> list[Entry]:
    own = visible.reflections(member).select_related("session__group")
    return [
        {
            "meeting": _at(row.session) if row.session else None,
            "text": kept.opened(row, "text"),
            "written_at": _instant(row.written_at),
            "changed_at": _instant(row.changed_at),
        }
        for row in own.order_by("written_at", "pk")
    ]


def _words(member: Member, at: datetime) -> list[Entry]:
    return [
        _at(row.session)
        | {
            "text": kept.opened(row, "text"),
            "shared": row.shared,
            "written_at": _instant(row.written_at),
            "forgotten_on": row.forget_on.isoformat(),
        }
        for row in words.of(member, at).select_related("session__group")
    ]


# Parts


def _of(group: Group) -> Entry:
    return {"group": group.name, "time_zone": group.time_zone}


def _at(session: Session) -> Entry:
    return {
        "group": session.group.name,
        "meeting_at": _instant(session.starts_at),
        "time_zone": session.time_zone,
    }


def _from_until(row: Membership | Leave | ProgrammeAdmin) -> Entry:
    return {"from": _instant(row.starts_at), "until": _instant(row.ended_at)}


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
