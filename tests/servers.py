"""Real PostgreSQL and Valkey for the suite: started once, a database cloned per worker.

The template is migrated once as the owner; a clone takes a tenth of a second. Tests speak as
`balint_app`: their login may become other roles, but begins without any right beyond the web's.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql

from balint.embedded import Postgres, Valkey
from balint.roles import roles_sql

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "balint_template"
LOGINS = ("balint_owner", "balint_app", "balint_worker", "balint_backup", "balint_test")
TEST_LOGIN = """
create role balint_test login nosuperuser noinherit;
grant balint_app, balint_worker, balint_roster, balint_owner, balint_reader
  to balint_test with inherit false, set true;
alter role balint_test set role = 'balint_app';
"""


@dataclass
class Servers:
    """What the suite started, by the controlling process; workers find it in the environment."""

    folder: Path
    postgres: Postgres
    valkey: Valkey

    @classmethod
    def start(cls, postgres: Callable[[Path], Postgres] | None = None) -> "Servers":
        """Inside a run of the suite the tables come from its template, which is quicker."""
        suite = dict(os.environ) if "URL_SUPERUSER" in os.environ else None
        folder = Path(tempfile.mkdtemp(prefix="balint-tests-"))
        make = postgres or (lambda place: Postgres(place, fsync=False))
        servers = cls(folder, make(folder / "postgres"), Valkey(folder / "valkey"))
        servers.postgres.start()
        servers.valkey.start()
        servers._make_roles()
        os.environ["BALINT_TEST_FOLDER"] = str(folder)
        os.environ["BALINT_TEST_REDIS"] = servers.valkey.url()
        for login in LOGINS:
            os.environ[f"URL_{login}"] = servers.postgres.url(login, "NAME_OF_DATABASE")
        os.environ["URL_SUPERUSER"] = servers.postgres.url("postgres", "NAME_OF_DATABASE")
        if suite:
            shutil.copy(f"{suite['BALINT_TEST_FOLDER']}/keys.json", folder / "keys.json")
            servers._copy_template(suite["URL_SUPERUSER"])
        else:
            make_key_file(folder / "keys.json")
            migrate_template()
        return servers

    def stop(self) -> None:
        self.valkey.stop()
        self.postgres.stop(at_once=True)
        self.postgres.discard()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_roles(self) -> None:
        with self.postgres.connect_superuser() as connection:
            connection.autocommit = True
            connection.execute(roles_sql())
            connection.execute(TEST_LOGIN)
            for login in LOGINS:
                password = sql.Literal(self._password(login))
                connection.execute(
                    sql.SQL("alter role {} password {}").format(sql.Identifier(login), password)
                )
            connection.execute(f"create database {TEMPLATE} owner balint_owner")
        with self.postgres.connect_superuser(TEMPLATE) as connection:
            connection.execute(roles_sql(in_database=True))

    def _copy_template(self, source: str) -> None:
        """The suite's template as it stands, with owners, rights and rows."""
        programs, dump = self.postgres.programs, self.folder / "template.sql"
        ends = (source, "-f"), (url("SUPERUSER", "NAME_OF_DATABASE"), "-qXf")
        for program, (address, option) in zip(("pg_dump", "psql"), ends, strict=True):
            address = address.replace("NAME_OF_DATABASE", TEMPLATE)
            subprocess.run(
                [programs / program, "-d", address, option, dump],
                check=True,
                stdout=subprocess.DEVNULL,
            )

    def _password(self, login: str) -> str:
        from urllib.parse import unquote, urlsplit

        return unquote(urlsplit(self.postgres.url(login, "x")).password or secrets.token_hex())


def url(login: str, database: str) -> str:
    """The address of `database` for a login of the suite's server."""
    return os.environ[f"URL_{login}"].replace("NAME_OF_DATABASE", database)


def environment(database: str, **more: str) -> dict[str, str]:
    """What a process of ours needs to work on `database`, as `make run` would give it."""
    folder = os.environ["BALINT_TEST_FOLDER"]
    return (
        {key: value for key, value in os.environ.items() if not key.startswith(("URL_", "COV"))}
        | {
            "DJANGO_SETTINGS_MODULE": "balint.settings",
            "BALINT_MODE": "test",
            "BALINT_STARTUP_CHECKS": "1",
            "DATABASE_URL": url("balint_app", database),
            "DATABASE_OWNER_URL": url("balint_owner", database),
            "DATABASE_WORKER_URL": url("balint_worker", database),
            "REDIS_URL": os.environ["BALINT_TEST_REDIS"],
            "BALINT_KEY_FILE": f"{folder}/keys.json",
        }
        | more
    )


def make_key_file(path: Path) -> None:
    manage(
        "keys",
        "create",
        env=dict(os.environ) | {"BALINT_MODE": "test", "BALINT_KEY_FILE": str(path)},
    )


def migrate_template() -> None:
    manage("migrate", "--no-input", "-v0", env=environment(TEMPLATE, BALINT_LOGIN="owner"))


def manage(*arguments: str, env: dict[str, str]) -> str:
    """Run a command of ours in a process of its own; its output, or an error that shows it."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"manage.py {' '.join(arguments)}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def superuser() -> Any:
    import psycopg

    return psycopg.connect(url("SUPERUSER", "postgres"), autocommit=True)


def clone(name: str) -> str:
    """A fresh database made from the template; dropped and made again if it stands."""
    with superuser() as connection:
        connection.execute(f'drop database if exists "{name}" with (force)')
        connection.execute(
            f'create database "{name}" template {TEMPLATE} owner balint_owner strategy file_copy'
        )
        # Rights on a database are not copied with it.
        connection.execute(f'revoke temporary on database "{name}" from public')
    return name


def drop(name: str) -> None:
    with superuser() as connection:
        connection.execute(f'drop database if exists "{name}" with (force)')
