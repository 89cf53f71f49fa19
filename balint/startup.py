"""What a process must find before it serves; else it stops with sentences that say what to do.

Settings, the key file, the cache and the database are asked when web, worker or clock load. A
database that does not answer then is asked at its first connection instead: the process lives,
says “no database”, and if what it finds there is not as it must be, no query passes.

The sentences are for whoever runs the server, so they are plain English.
"""

import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error
from django.db import DatabaseError, OperationalError, connection
from django.db.backends.signals import connection_created

from members import keys
from members.keys import KeyFileError
from members.kinds import Kind

log = logging.getLogger(__name__)
YEAR = 365 * 24 * 60 * 60
PROBE_SECONDS = 3

LOGIN_SQL = """
select session_user, r.rolname, r.rolname = session_user
from pg_roles r
where pg_has_role(session_user, r.oid, 'MEMBER') and (
  r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolname in (
    'balint_owner', 'balint_reader', 'pg_read_server_files', 'pg_write_server_files',
    'pg_execute_server_program', 'pg_read_all_data', 'pg_write_all_data'))
order by r.rolname = session_user desc, r.rolname
"""
TABLES_SQL = """
select c.relname, c.relrowsecurity, c.relforcerowsecurity,
  exists (select from pg_policy p where p.polrelid = c.oid)
from pg_class c
where c.oid = any (
  select to_regclass('public.' || quote_ident(name)) from unnest(%s::text[]) name)
order by c.relname
"""


class NotSafe(DatabaseError):
    """The database answers, but its login or its tables are not as they must be."""


# What is asked


def of_settings() -> Iterator[str]:
    """What the settings have wrong, in one sentence each."""
    if settings.DEBUG:
        yield (
            "DEBUG is on: it shows texts and passwords in error pages. Take it out of the settings."
        )
    if getattr(settings, "MFA_TOTP_INSECURE_BYPASS_CODE", None):
        yield (
            "MFA_TOTP_INSECURE_BYPASS_CODE is set: one code would open every account with a second "
            "factor. Take it out of the settings."
        )
    if settings.PRODUCTION:
        yield from _of_production()


def _of_production() -> Iterator[str]:
    directives = settings.CONTENT_SECURITY_POLICY.get("DIRECTIVES", {})
    strict = {"default-src": "'none'", "script-src": "'self'", "object-src": "'none'"}
    if "csp.middleware.CSPMiddleware" not in settings.MIDDLEWARE or any(
        list(directives.get(name, ())) != [value] for name, value in strict.items()
    ):
        yield (
            "The content security policy is off or lets more than our own scripts run. Put back "
            "CONTENT_SECURITY_POLICY and its middleware as they come with Balint."
        )
    if settings.SECURE_HSTS_SECONDS < YEAR:
        yield "SECURE_HSTS_SECONDS is less than a year. Take it out of your settings."
    if not settings.SECURE_SSL_REDIRECT:
        yield "SECURE_SSL_REDIRECT is off. Unset it: pages and passwords go over TLS only."
    if not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        yield "Cookies would go over plain HTTP. Take SESSION_COOKIE_SECURE out of your settings."
    if not settings.TRUSTED_PROXIES_STATED:
        yield (
            "TRUSTED_PROXIES is not set. Set it to the number of proxies in front of this process "
            "(1 for the one that speaks TLS, 0 if this process speaks TLS itself): otherwise "
            "either nobody gets in, or anybody may pretend to come from any address."
        )


def of_cache() -> Iterator[str]:
    """Limits and used codes must be the same for every process."""
    if isinstance(caches["default"], (LocMemCache, DummyCache)):
        yield (
            "The cache lives inside one process, and Balint runs in several: limits would count "
            "for each alone, and a sign-in code would open twice. Put CACHES back to Redis."
        )


def of_key_file() -> Iterator[str]:
    """Only the web opens what is sealed."""
    if settings.LOGIN != "app":
        return
    try:
        keys.in_use()
    except KeyFileError as error:
        yield str(error)
        return
    beside = next((at for at in keys.path_in_use().resolve().parents if _holds_database(at)), None)
    if settings.PRODUCTION and beside:
        yield (
            f"The key file lies in {beside}, with the database's own files: whoever takes a copy "
            "of one has the other. Move it to another disk and set BALINT_KEY_FILE."
        )


def _holds_database(folder: Path) -> bool:
    try:
        return (folder / "PG_VERSION").exists()
    except OSError:
        return False


def of_database(db: Any = connection) -> Iterator[str]:
    """What the database has wrong: the login first, then the tables. Asks two queries."""
    with db.cursor() as cursor:
        if settings.LOGIN != "owner":
            cursor.execute(LOGIN_SQL)
            yield from _of_login(cursor.fetchall())
        cursor.execute(TABLES_SQL, [content_tables()])
        yield from _of_tables(cursor.fetchall())


def _of_login(found: Sequence[tuple[str, str, bool]]) -> Iterator[str]:
    for login, role, itself in found:
        if itself:
            yield (
                f"The database login {login} is a superuser, passes row-level security, or may "
                f"make roles. Use the login balint_{settings.LOGIN} that `manage.py roles --sql` "
                "makes."
            )
            return  # A superuser may become everybody.
        yield (
            f"The database login {login} may become {role}, which row-level security does not "
            f"hold. As superuser: revoke {role} from {login}."
        )


def _of_tables(found: Sequence[tuple[str, bool, bool, bool]]) -> Iterator[str]:
    for table, enabled, forced, policies in found:
        if not (enabled and forced):
            yield (
                f"Row-level security of {table} is off or not forced. As balint_owner: "
                f"alter table {table} enable row level security, force row level security;"
            )
        if not policies:
            yield (
                f"The table {table} has no policy. Restore the database's schema from a backup, or "
                "migrate a new database and bring the rows over."
            )


def content_tables() -> list[str]:
    """The tables of what happens inside groups."""
    models = apps.get_models(include_auto_created=True)
    kinds = ((model._meta.db_table, getattr(model, "balint_kind", None)) for model in models)
    return sorted(table for table, kind in kinds if kind == Kind.CONTENT)


# When it is asked


def refuse_unless_safe() -> None:
    """Called as web, worker or clock load: stop here, or watch for the first connection."""
    if not settings.STARTUP_CHECKS:
        return
    _stop_with([*of_settings(), *of_cache(), *of_key_file()])
    probe = _probe()
    try:
        _stop_with(list(of_database(probe)))
        later = _tables_are_missing(probe)
    except OperationalError:
        log.warning("The database does not answer. It will be looked at when it does.")
        later = True
    finally:
        probe.close()
    if later:
        connection_created.connect(watch, dispatch_uid=__name__)


def _probe() -> Any:
    """A connection of its own: the pool would wait long, and a worker's children inherit one."""
    probe = connection.copy()
    options = {**probe.settings_dict.get("OPTIONS", {}), "connect_timeout": PROBE_SECONDS}
    options.pop("pool", None)
    probe.settings_dict["OPTIONS"] = options
    return probe


def watch(sender: Any, connection: Any, **kwargs: Any) -> None:
    """Look at the database once; until it is as it must be, no connection is of any use."""
    wrong = list(of_database(connection))
    if wrong:
        connection.close()
        log.critical("No query passes:\n%s", "\n".join(wrong))
        raise NotSafe(*wrong)
    if not _tables_are_missing(connection):
        connection_created.disconnect(dispatch_uid=__name__)


def _tables_are_missing(db: Any) -> bool:
    return not set(content_tables()) <= set(db.introspection.table_names())


def _stop_with(wrong: Sequence[str]) -> None:
    if wrong:
        # Not sys.stderr: Celery's clock has put its log there, and ends before it writes it.
        # In one piece: workers that end at the same time say the same in the same place.
        sentences = "\n".join(["Balint does not start:", *wrong, ""])
        print(sentences, end="", file=sys.__stderr__, flush=True)
        raise SystemExit(1)


def check(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """The same for `manage.py check --deploy`, with `--database default` the database too."""
    wrong = [*of_settings(), *of_cache(), *of_key_file()]
    if databases:
        wrong += of_database()
    return [Error(sentence, id="balint.E001") for sentence in wrong]
