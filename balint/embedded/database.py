"""The embedded database: roles by the superuser, tables by their owner, neither by the web."""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from balint.embedded import places
from balint.embedded.passwords import password_of
from balint.embedded.postgres import Postgres

if TYPE_CHECKING:
    import psycopg

NAME = "balint"
OWNER = "balint_owner"
LOGINS = (OWNER, "balint_app", "balint_worker", "balint_backup")
Manage = Callable[..., str]


def addresses(postgres: Postgres) -> dict[str, str]:
    """The three logins' addresses, by the names the settings read."""
    return {
        "DATABASE_URL": postgres.url("balint_app", NAME),
        "DATABASE_OWNER_URL": postgres.url(OWNER, NAME),
        "DATABASE_WORKER_URL": postgres.url("balint_worker", NAME),
    }


def create_roles(postgres: Postgres, manage: Manage) -> None:
    """Roles, passwords and the database, unless this very version of the roles stands already."""
    with postgres.connect_superuser() as server:
        if _stamp_in(server) == _stamp():
            return
        server.execute(_as_query(manage("roles", "--sql")))
        for login in LOGINS:
            _set_password(server, login, password_of(login, postgres.password_file))
        if not server.execute("select 1 from pg_database where datname = %s", [NAME]).fetchone():
            server.execute(f"create database {NAME} owner {OWNER}")
    with postgres.connect_superuser(NAME) as database:
        database.execute(_as_query(manage("roles", "--sql", "--in-database")))
        database.execute(f"comment on database {NAME} is '{_stamp()}'")


def _stamp() -> str:
    source = places.checkout() / "balint" / "roles.py"
    return f"roles {hashlib.sha256(source.read_bytes()).hexdigest()[:16]}"


def _stamp_in(server: "psycopg.Connection[Any]") -> str | None:
    row = server.execute(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", [NAME]
    ).fetchone()
    return row[0] if row else None


def _set_password(server: "psycopg.Connection[Any]", login: str, password: str) -> None:
    from psycopg import sql

    server.execute(
        sql.SQL("alter role {} password {}").format(sql.Identifier(login), sql.Literal(password))
    )


def _as_query(text: str) -> bytes:
    return text.encode()
