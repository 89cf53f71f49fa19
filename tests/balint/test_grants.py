"""Grants: what the office and the worker may write is a short list, held by the database."""

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from balint import roles
from groups.models import Group, Membership, Proposal
from members.kinds import Kind
from sessions.models import Session
from tests.world import as_member

RIGHTS = ("select", "insert", "update", "delete")


def kind_of(model):
    return getattr(model, "balint_kind", None)


OURS = [model for model in apps.get_models() if kind_of(model)]


def privileges(login, model):
    with connection.cursor() as cursor:
        cursor.execute(
            "select p from unnest(%s::text[]) p "
            "where has_table_privilege('balint_' || %s, %s, p) order by 1",
            [list(RIGHTS), login, model._meta.db_table],
        )
        return {row[0] for row in cursor.fetchall()}


def writes(login):
    found = {model._meta.label: privileges(login, model) - {"select"} for model in OURS}
    return {label: rights for label, rights in found.items() if rights}


def test_the_office_writes_groups_templates_proposals_and_endings_and_plans_letters(db):
    assert writes("roster") == {
        "groups.EveningTemplate": {"insert", "update", "delete"},
        "groups.Group": {"insert", "update"},
        "groups.Agreement": {"insert"},
        "groups.Proposal": {"insert", "update"},
        "groups.Ending": {"insert", "update"},
        "members.Letter": {"insert", "update"},
    }


def test_the_worker_writes_letters_and_removes_dead_invitations(db):
    assert writes("worker") == {
        "members.Letter": {"insert", "update", "delete"},
        "members.Heartbeat": {"insert", "update"},
        "groups.Proposal": {"delete"},
        "groups.Consent": {"delete"},
    }


# Goes with a person whose account is erased, or with a group that ends.
ERASED = (
    *("members.Member", "members.Phone", "members.Letter", "groups.ProgrammeAdmin"),
    *("groups.Entrance", "groups.Preference", "groups.Acceptance", "groups.Ending"),
    *("groups.Proposal", "groups.Consent", "balint_sessions.Attendance"),
    *("balint_sessions.CalendarFeed", "members.CacheEntry"),
    *("balint_sessions.EveningLead", "balint_sessions.NoticeSeen", "balint_sessions.Observer"),
)


def test_the_owner_of_the_functions_writes_what_they_close_and_forget(db):
    assert writes("reader") == {label: {"delete"} for label in ERASED} | {
        "members.DataKey": {"insert", "delete"},
        "members.Tombstone": {"insert", "update", "delete"},
        "groups.Membership": {"update", "delete"},
        "groups.GroupEnd": {"update"},
        "members.AuditChain": {"insert", "update"},
        "members.AuditEvent": {"insert", "update", "delete"},
        "groups.RecordOpening": {"insert", "update", "delete"},
        "groups.Leave": {"update", "delete"},
        "groups.LeavingReason": {"delete"},
        "balint_sessions.Session": {"update"},
        "balint_sessions.Answer": {"delete"},
        "balint_sessions.Change": {"delete"},
        "balint_sessions.DatesReply": {"delete"},
        "balint_sessions.CasePresentation": {"insert", "update", "delete"},
        "balint_sessions.CasePresence": {"insert", "update", "delete"},
        "balint_sessions.CaseCount": {"insert", "update"},
        "balint_sessions.Step": {"delete"},
        "balint_sessions.RoomPresence": {"delete"},
        "balint_sessions.RoomVersion": {"insert", "update", "delete"},
        "balint_sessions.SteppedOut": {"insert", "delete"},
        "balint_sessions.ShownOut": {"insert", "update", "delete"},
        "balint_sessions.Reflection": {"delete"},
        "balint_sessions.LeadersNote": {"delete"},
    }


def test_the_web_removes_nobody_from_the_frame(db):
    kept = (
        *("members.Member", "groups.Programme", "groups.ProgrammeAdmin", "groups.Group"),
        *("groups.Membership", "groups.Ending", "groups.Proposal", "groups.Consent"),
        *("groups.GroupEnd", "members.Tombstone"),
    )
    for label in kept:
        assert "delete" not in privileges("app", apps.get_model(label)), label


def test_the_backup_reads_everything_and_writes_nothing(db):
    assert {frozenset(privileges("backup", model)) for model in OURS} == {frozenset({"select"})}


def test_nobody_but_the_web_and_the_functions_touches_content_or_keys(db):
    hidden = [m for m in OURS if kind_of(m) is Kind.CONTENT or m.__name__ == "DataKey"]
    for model in hidden:
        assert privileges("roster", model) == privileges("worker", model) == set(), model


@pytest.mark.parametrize("login", roles.LOGINS)
def test_what_stands_in_the_database_is_what_the_table_says(db, login):
    for model in apps.get_models(include_auto_created=True):
        stated = {part.strip() for part in roles.rights(model)[login].split(",")} & set(RIGHTS)
        assert privileges(login, model) == stated, model


@pytest.mark.parametrize(
    "attempt",
    [
        lambda c: Membership.objects.create(
            group=c.group, member=c.admin, role="leader", starts_at=timezone.now()
        ),
        lambda c: Membership.objects.filter(member=c.member).update(role="leader"),
        lambda c: Membership.objects.filter(member=c.member).update(member=c.admin),
        lambda c: Membership.objects.filter(member=c.member).update(ended_at=timezone.now()),
        lambda c: Proposal.objects.filter(group=c.group)._raw_delete("default"),
        lambda c: Group.objects.filter(pk=c.group.pk)._raw_delete("default"),
        lambda c: Session.objects.filter(group=c.group).update(place="elsewhere"),
    ],
    ids=["joins", "promotes", "takes a place", "removes", "unproposes", "dissolves", "moves dates"],
)
def test_the_office_cannot_put_itself_in_or_anybody_out(circle, attempt):
    with pytest.raises(ProgrammingError, match="permission denied"):
        with as_member(circle.admin, "balint_roster"), transaction.atomic():
            attempt(circle)
