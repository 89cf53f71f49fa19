"""Real processes in bad surroundings: they say what to do, and serve nobody."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from balint import startup
from members import keys
from tests import servers
from tests.journeys.conftest import free_port

# Of this worker alone.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
NAME = f"startup_{WORKER}"
OTHER = f"spoilt_{WORKER}"


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    yield servers.clone(NAME)
    servers.drop(NAME)


@pytest.fixture
def environment(database: str, tmp_path: Path) -> dict[str, str]:
    keys.create(tmp_path / "keys.json")
    return servers.environment(
        database,
        BALINT_KEY_FILE=str(tmp_path / "keys.json"),
        SECRET_KEY="of a start",
        ALLOWED_HOSTS="127.0.0.1",
    )


@contextmanager
def changed(statement: str, back: str, *, database: str = NAME) -> Iterator[None]:
    """As superuser in the clone, and the way back."""
    import psycopg

    with psycopg.connect(servers.url("SUPERUSER", database), autocommit=True) as connection:
        connection.execute(statement)
        try:
            yield
        finally:
            connection.execute(back)


WEB = ["-m", "balint.serve", "--host", "127.0.0.1", "--workers", "2"]
SITE = "balint.asgi:application"
CELERY = ["-m", "celery", "-A", "balint"]


def web(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [*WEB, "--port", str(free_port()), SITE]
    return run(command, environment | {"BALINT_LOGIN": "app"})


def wsgi(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return run(["-c", "import balint.wsgi; print('it serves')"], environment)


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Refused in seconds; a process that goes on all the same is a failure."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=servers.ROOT,
        env={"BALINT_LOGIN": "app"} | environment,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """What was said, once, after the words every refusal begins with."""
    assert done.returncode != 0, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert "it serves" not in said
    found = re.search(r"^Balint does not start:\n((?:[A-Z].*\n)+)", said, re.MULTILINE)
    assert found, said
    return found[1].strip()


def test_as_it_should_be_it_serves(environment: dict[str, str]) -> None:
    done = wsgi(environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "it serves\n", "")


# The login


@contextmanager
def spoilt(login: str, rights: str = "", *, granted: str = "") -> Iterator[str]:
    """The address of a login like `login`, and more; the suite's own are everybody's, and stay."""
    made = f"create role {OTHER} login password 'spoilt' {rights} in role {login}"
    more = f"; grant {granted} to {OTHER} with inherit false, set true" if granted else ""
    with changed(made + more, f"drop role {OTHER}"):
        yield re.sub(r"//[^@]*@", f"//{OTHER}:spoilt@", servers.url(login, NAME))


@pytest.mark.parametrize("rights", ["superuser", "bypassrls", "createrole"])
def test_a_login_that_row_security_does_not_hold_is_refused(
    environment: dict[str, str], rights: str
) -> None:
    with spoilt("balint_app", rights) as url:
        said = refusal(wsgi(environment | {"DATABASE_URL": url}))
    assert said == (
        f"The database login {OTHER} is a superuser, passes row-level security, or may make "
        "roles. Use the login balint_app that `manage.py roles --sql` makes."
    )


@pytest.mark.parametrize(
    "role", ["balint_owner", "balint_reader", "postgres", "pg_read_server_files"]
)
def test_a_login_that_may_become_such_a_one_is_refused(
    environment: dict[str, str], role: str
) -> None:
    with spoilt("balint_app", granted=role) as url:
        said = refusal(wsgi(environment | {"DATABASE_URL": url}))
    assert f"The database login {OTHER} may become {role}" in said
    assert f"As superuser: revoke {role} from {OTHER}." in said


def test_every_worker_of_the_web_stops_with_the_sentence(environment: dict[str, str]) -> None:
    with spoilt("balint_app", "superuser") as url:
        done = web(environment | {"DATABASE_URL": url})
    assert f"The database login {OTHER} is a superuser" in refusal(done)


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_worker_and_clock_are_asked_for_their_own_login(
    environment: dict[str, str], tmp_path: Path, command: str
) -> None:
    more = ["--schedule", str(tmp_path / "beat"), "--pidfile", ""] if command == "beat" else []
    worker = {name: value for name, value in environment.items() if name != "BALINT_LOGIN"}
    with spoilt("balint_worker", "bypassrls") as url:
        worker |= {"BALINT_LOGIN": "worker", "DATABASE_WORKER_URL": url}
        done = run([*CELERY, command, *more], worker)
    assert f"The database login {OTHER} is a superuser" in refusal(done)
    assert "ready." not in done.stdout + done.stderr


# The tables

CASES = "balint_sessions_casepresentation"


@pytest.mark.parametrize("off", ["no force", "disable"])
def test_a_table_of_content_without_row_security_is_refused(
    environment: dict[str, str], off: str
) -> None:
    table = f"alter table {CASES}"
    with changed(
        f"{table} {off} row level security",
        f"{table} enable row level security, force row level security",
    ):
        said = refusal(wsgi(environment))
    assert said == (
        f"Row-level security of {CASES} is off or not forced. As balint_owner: "
        f"{table} enable row level security, force row level security;"
    )


def test_a_table_without_policies_is_refused(environment: dict[str, str]) -> None:
    bare = servers.clone("startup_bare")
    drop = (
        "do $$ declare name text; begin for name in select polname from pg_policy where"  # noqa: S608
        f" polrelid = '{CASES}'::regclass loop execute format('drop policy %I on {CASES}', name);"
        " end loop; end $$"
    )
    with changed(drop, "select 1", database=bare):
        here = environment | {"DATABASE_URL": servers.url("balint_app", bare)}
        said = refusal(wsgi(here))
    servers.drop(bare)
    assert said.startswith(f"The table {CASES} has no policy.")


def test_every_table_of_content_is_looked_at() -> None:
    assert CASES in startup.content_tables()
    assert len(startup.content_tables()) > 8


# The key file


def test_a_key_file_others_may_read_is_refused(environment: dict[str, str]) -> None:
    path = Path(environment["BALINT_KEY_FILE"])
    path.chmod(0o644)
    said = refusal(wsgi(environment))
    assert said.startswith(f"Other users of this machine may read the key file {path}.")


@pytest.mark.parametrize(
    ("content", "words"), [(None, "There is no key file at"), (b"{", "is damaged. Put back")]
)
def test_a_missing_or_damaged_key_file_is_refused(
    environment: dict[str, str], content: bytes | None, words: str
) -> None:
    path = Path(environment["BALINT_KEY_FILE"])
    path.unlink()
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o400)
    assert words in refusal(wsgi(environment))


def test_the_worker_needs_no_key_file(environment: dict[str, str], tmp_path: Path) -> None:
    program = "import balint.celery as c; c.refuse_unless_safe(); print('it works')"
    bare = environment | {"BALINT_KEY_FILE": str(tmp_path / "none"), "BALINT_LOGIN": "worker"}
    assert run(["-c", program], bare).stdout == "it works\n"


# Settings: of production, in a module that spoils one of them

SPOILT = """from balint.settings import *
{change}
"""
PRODUCTION = {
    "BALINT_MODE": "production",
    "TRUSTED_PROXIES": "1",
    "SITE_URL": "https://balint.example",
    "EMAIL_URL": "smtp://127.0.0.1:1",
    "DEFAULT_FROM_EMAIL": "balint@balint.example",
}
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
SPOILS = {
    "DEBUG = True": "DEBUG is on",
    'MFA_TOTP_INSECURE_BYPASS_CODE = "000000"': "MFA_TOTP_INSECURE_BYPASS_CODE is set",
    f'CACHES = {{"default": {{"BACKEND": "{LOCMEM}"}}}}': "The cache lives inside one process",
    'CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}': (
        "The cache lives inside one process"
    ),
    "SECURE_HSTS_SECONDS = 0": "SECURE_HSTS_SECONDS is less than a year",
    "SECURE_SSL_REDIRECT = False": "SECURE_SSL_REDIRECT is off",
    "CSRF_COOKIE_SECURE = False": "Cookies would go over plain HTTP",
    "CONTENT_SECURITY_POLICY = {}": "The content security policy is off",
    'MIDDLEWARE.remove("csp.middleware.CSPMiddleware")': "The content security policy is off",
    'CONTENT_SECURITY_POLICY["DIRECTIVES"]["script-src"].append("https://cdn.example")': (
        "The content security policy is off"
    ),
}


@pytest.fixture
def production(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    static = tmp_path / "static"
    static.mkdir()
    (static / "staticfiles.json").write_text('{"version": "1.1", "paths": {}, "hash": ""}')
    return environment | PRODUCTION | {"STATIC_ROOT": str(static)}


def test_production_serves_as_it_comes(production: dict[str, str]) -> None:
    done = wsgi(production)
    assert (done.returncode, done.stdout, done.stderr) == (0, "it serves\n", "")


@pytest.mark.parametrize("change", SPOILS)
def test_a_spoilt_setting_is_refused(
    production: dict[str, str], tmp_path: Path, change: str
) -> None:
    (tmp_path / "spoilt.py").write_text(SPOILT.format(change=change))
    module = {"DJANGO_SETTINGS_MODULE": "spoilt", "PYTHONPATH": str(tmp_path)}
    said = refusal(wsgi(production | module))
    assert said.startswith(SPOILS[change])
    assert len(said.splitlines()) == 1


def test_the_environment_can_spoil_one_too(production: dict[str, str]) -> None:
    assert "SECURE_SSL_REDIRECT is off" in refusal(wsgi(production | {"SECURE_SSL_REDIRECT": "0"}))


def test_how_many_proxies_stand_in_front_must_be_said(production: dict[str, str]) -> None:
    unsaid = {name: value for name, value in production.items() if name != "TRUSTED_PROXIES"}
    assert refusal(wsgi(unsaid)).startswith("TRUSTED_PROXIES is not set.")
    assert wsgi(production | {"TRUSTED_PROXIES": "0"}).returncode == 0


def test_a_key_file_among_the_databases_own_files_is_refused(
    production: dict[str, str], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    keys.create(data / "base" / "keys.json")
    (data / "PG_VERSION").write_text("18\n")
    said = refusal(wsgi(production | {"BALINT_KEY_FILE": str(data / "base" / "keys.json")}))
    assert said.startswith(f"The key file lies in {data}")


def test_all_that_is_wrong_is_told_at_once(production: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "spoilt.py").write_text(SPOILT.format(change="DEBUG = True"))
    bad = {
        "DJANGO_SETTINGS_MODULE": "spoilt",
        "PYTHONPATH": str(tmp_path),
        "BALINT_KEY_FILE": str(tmp_path / "none"),
    }
    assert len(refusal(wsgi(production | bad)).splitlines()) == 2


# A database that does not answer yet


@contextmanager
def serving(environment: dict[str, str], log: Path) -> Iterator[str]:
    port = free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *WEB, "--port", str(port), SITE],
            cwd=servers.ROOT,
            env=environment | {"BALINT_LOGIN": "app"},
            stdout=out,
            stderr=out,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 40
        while ask(address, "/healthz")[0] != 200:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def ask(address: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address + path, timeout=20) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def allow_connections(database: str, allowed: bool) -> None:
    with servers.superuser() as connection:
        connection.execute(f'alter database "{database}" allow_connections {allowed}')


def test_without_a_database_it_comes_up_and_looks_at_it_later(
    environment: dict[str, str], tmp_path: Path
) -> None:
    late = servers.clone("startup_late")
    here = environment | {"DATABASE_URL": servers.url("balint_app", late)}
    no_force = f"alter table {CASES} no force row level security"
    allow_connections(late, False)
    with serving(here, tmp_path / "log") as address:
        assert ask(address, "/readyz") == (503, '{"ready": false, "why": "no database"}')
        allow_connections(late, True)
        with changed(no_force, no_force.replace("no force", "force"), database=late):
            why = '{"ready": false, "why": "refused, see the log"}'
            for _ in range(4):
                assert ask(address, "/readyz") == (503, why)
            assert ask(address, "/accounts/login/")[0] == 500
        for _ in range(4):
            assert ask(address, "/readyz")[0] == 200
        assert ask(address, "/accounts/login/")[0] == 200
    said = (tmp_path / "log").read_text()
    assert "The database does not answer. It will be looked at when it does." in said
    assert f"Row-level security of {CASES} is off or not forced." in said
    servers.drop(late)


# The same among Django's checks


def manage_check(environment: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    return run(["manage.py", "check", "--deploy", *more], environment)


def test_the_commands_tell_the_same(environment: dict[str, str]) -> None:
    Path(environment["BALINT_KEY_FILE"]).chmod(0o644)
    done = manage_check(environment)
    assert done.returncode != 0
    assert "(balint.E001) Other users of this machine may read the key file" in done.stderr
    assert run(["manage.py", "check"], environment).returncode == 0


def test_with_the_database_named_its_tables_too(environment: dict[str, str]) -> None:
    table = f"alter table {CASES}"
    with changed(f"{table} no force row level security", f"{table} force row level security"):
        assert CASES not in manage_check(environment).stderr
        named = manage_check(environment, "--database", "default")
    assert f"(balint.E001) Row-level security of {CASES} is off" in named.stderr


def test_the_suites_own_process_would_not_serve(db: None, settings: Any) -> None:
    """Its login may become every other: here the same check finds something."""
    found = run_checks(tags=["security"], include_deployment_checks=True, databases=["default"])
    told = [str(problem.msg) for problem in found if problem.id == "balint.E001"]
    assert any("may become balint_owner" in sentence for sentence in told)
    assert os.environ.get("BALINT_STARTUP_CHECKS") is None
