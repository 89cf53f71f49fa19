"""Row-level security stands on every content table, and holds without the application's filters."""

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from balint import roles
from groups.models import Entrance, Leave
from members.kinds import Kind
from tests.world import as_member, as_owner

OURS = ("members", "groups", "balint_sessions")
CONTENT = [m for m in apps.get_models() if getattr(m, "balint_kind", None) == Kind.CONTENT]


def test_every_model_of_ours_says_what_kind_of_table_it_is():
    undeclared = [
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in OURS and not isinstance(model.__dict__.get("balint_kind"), Kind)
    ]
    assert undeclared == []


@pytest.mark.parametrize("model", CONTENT, ids=lambda model: model.__name__)
def test_every_content_table_is_enabled_and_forced(db, model):
    with connection.cursor() as cursor:
        cursor.execute(
            "select relrowsecurity, relforcerowsecurity from pg_class where relname = %s",
            [model._meta.db_table],
        )
        assert cursor.fetchone() == (True, True)


@pytest.mark.parametrize("model", CONTENT, ids=lambda model: model.__name__)
@pytest.mark.parametrize("role", ["balint_worker", "balint_roster"])
def test_the_worker_and_the_office_are_refused_every_content_table(db, model, role):
    with pytest.raises(ProgrammingError, match="permission denied"), as_member(None, role):
        list(model.objects.all())


@pytest.mark.parametrize("model", CONTENT, ids=lambda model: model.__name__)
def test_content_knows_its_group_or_its_person(model):
    names = {field.name for field in model._meta.fields}
    assert names & {"group", "member"}


def test_the_logins_are_no_superusers_and_only_backup_bypasses_row_security(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "select rolname, rolsuper, rolbypassrls, rolcanlogin from pg_roles "
            "where rolname like 'balint%%' and rolname <> 'balint_test' order by 1"
        )
        assert cursor.fetchall() == [
            ("balint_app", False, False, True),
            ("balint_backup", False, True, True),
            ("balint_owner", False, False, True),
            ("balint_reader", False, True, False),
            ("balint_roster", False, False, False),
            ("balint_worker", False, False, True),
        ]


def test_a_query_without_an_identity_sees_no_content(circle):
    with as_owner():
        Entrance.objects.create(group=circle.group, door="4471#")
        assert Leave.objects.count() == 1
    assert Leave.objects.count() == 0
    assert Entrance.objects.count() == 0


def test_the_door_is_seen_by_the_leaders_and_the_leave_by_its_person_and_the_leaders(circle):
    with as_owner():
        Entrance.objects.create(group=circle.group, door="4471#")
    seen = {}
    for name in ("leader", "member", "on_leave", "former", "admin", "outsider", "superuser"):
        with as_member(getattr(circle, name)):
            seen[name] = (Entrance.objects.count(), Leave.objects.count())
    assert seen == {
        "leader": (1, 1),
        "member": (0, 0),
        "on_leave": (0, 1),
        "former": (0, 0),
        "admin": (0, 0),
        "outsider": (0, 0),
        "superuser": (0, 0),
    }


def test_the_office_learns_that_a_place_is_kept_in_its_own_programmes_only(circle):
    def kept(member):
        with as_member(member, "balint_roster"), connection.cursor() as cursor:
            cursor.execute("select balint_places_kept(%s)", [circle.group.pk])
            return cursor.fetchone()[0]

    assert kept(circle.admin) == [circle.on_leave.pk]
    assert kept(circle.outsider) == []


def test_an_outsider_cannot_write_into_a_foreign_group(circle):
    refused = pytest.raises(ProgrammingError, match="row-level security")
    with refused, as_member(circle.outsider), transaction.atomic():
        Leave.objects.create(group=circle.group, member=circle.member, starts_at=timezone.now())


def test_every_right_in_the_table_of_grants_is_for_a_model_that_exists():
    labels = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    assert set(roles.BY_MODEL) <= labels
