"""Database roles and who may do what: one table, applied after every migrate.

Logins: owner (migrations only), app (web), worker (letters, upkeep), backup. Without a login:
roster (what the office's pages run under), reader (owns the functions that policies call).
The roles come from `manage.py roles --sql`, run once by whoever owns the server.
"""

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connection
from django.db.models import Model

from members.kinds import Kind

SERVER_SQL = """\
do $$
begin
  if not exists (select from pg_roles where rolname = 'balint_owner') then
    create role balint_owner login nosuperuser;
  end if;
  if not exists (select from pg_roles where rolname = 'balint_app') then
    create role balint_app login nosuperuser noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'balint_worker') then
    create role balint_worker login nosuperuser noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'balint_backup') then
    create role balint_backup login nosuperuser bypassrls;
  end if;
  if not exists (select from pg_roles where rolname = 'balint_roster') then
    create role balint_roster nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'balint_reader') then
    create role balint_reader nologin bypassrls;
  end if;
end
$$;
grant balint_roster to balint_app with inherit false, set true;
grant balint_reader to balint_owner with inherit false, set true;
"""

IN_DATABASE_SQL = """\
revoke create on schema public from public;
grant usage, create on schema public to balint_owner;
grant usage, create on schema public to balint_reader;
grant usage on schema public to balint_app, balint_worker, balint_roster, balint_backup;
do $$
begin
  execute format('revoke temporary on database %I from public', current_database());
end
$$;
"""

ALL = "select, insert, update, delete"
NO_DELETE = "select, insert, update"
READ = "select"
GONE = "select, delete"
CHANGED = "select, update, delete"
NONE = ""

# Rights by kind of table, and the exceptions by model. Whatever a function of the reader or a page
# of the office needs is named here; the rest is refused before any policy is asked.
BY_KIND: dict[str | None, dict[str, str]] = {
    Kind.CONTENT: {"app": ALL, "roster": NONE, "worker": NONE, "reader": NONE},
    Kind.FRAME: {"app": ALL, "roster": READ, "worker": READ, "reader": READ},
    Kind.PLUMBING: {"app": ALL, "roster": NONE, "worker": NONE, "reader": NONE},
    # Tables of Django and allauth.
    None: {"app": ALL, "roster": NONE, "worker": NONE, "reader": NONE},
}
BY_MODEL: dict[str, dict[str, str]] = {
    "members.Member": {"app": NO_DELETE, "roster": READ, "worker": READ, "reader": GONE},
    "members.Letter": {"roster": NO_DELETE, "worker": ALL, "reader": GONE},
    "members.Heartbeat": {"roster": READ, "worker": NO_DELETE},
    "members.DataKey": {"app": "select, insert", "reader": "select, insert, delete"},
    # Written and read by functions alone.
    "members.Tombstone": {"app": NONE, "reader": ALL},
    # The record is appended to by functions; no login of the site reads or writes it.
    "members.AuditChain": {"app": NONE, "reader": NO_DELETE},
    "members.AuditEvent": {"app": NONE, "reader": ALL},
    "sessions.Session": {"roster": ALL, "reader": GONE},
    "contenttypes.ContentType": {"roster": READ, "worker": READ},
    # The frame: nobody is removed silently, and the office makes no member and no leader.
    "groups.Programme": {"app": READ},
    "groups.ProgrammeAdmin": {"app": NO_DELETE, "reader": GONE},
    # Templates of an evening are the office's to write, and everybody's to read.
    "groups.EveningTemplate": {"app": READ, "roster": ALL, "worker": NONE, "reader": NONE},
    # A group is held still while one of its leaders goes for good; its key is never changed.
    "groups.Group": {"app": NO_DELETE, "roster": NO_DELETE, "reader": "select, update (id)"},
    # The office holds a membership still while it asks for its end; a key is never changed.
    "groups.Membership": {"app": NO_DELETE, "roster": "select, update (id)", "reader": CHANGED},
    "groups.Agreement": {"roster": "select, insert", "reader": "select, update (written_by_id)"},
    "groups.Ending": {
        "app": NO_DELETE,
        "roster": NO_DELETE,
        "reader": "select, update (asked_by_id), delete",
    },
    "groups.GroupEnd": {
        "app": NO_DELETE,
        "roster": "select, update (confirmed_by_id, confirmed_at)",
        "reader": "select, update",
    },
    # Asked for, confirmed, ended and forgotten by functions alone.
    "groups.RecordOpening": {"app": READ, "worker": NONE, "reader": ALL},
    # Dead invitations are removed by the worker, with the answers to them.
    "groups.Proposal": {
        "app": NO_DELETE,
        "roster": NO_DELETE,
        "worker": GONE,
        "reader": "select, update (proposed_by_id, withdrawn_at), delete",
    },
    "groups.Consent": {"app": "select, insert", "worker": GONE, "reader": GONE},
    # What the reader's functions look at, count, close and forget.
    "groups.Leave": {"reader": CHANGED},
    "groups.LeavingReason": {"reader": GONE},
    "balint_sessions.Session": {"reader": "select, update"},
    "balint_sessions.Answer": {"reader": "select, update (reason_sealed, reason_version), delete"},
    "balint_sessions.DatesReply": {"reader": GONE},
    "balint_sessions.NoticeSeen": {"reader": GONE},
    # Who leads one evening: the worker writes letters about it, the office has no need of it.
    "balint_sessions.EveningLead": {"roster": NONE, "reader": GONE},
    "balint_sessions.Change": {"reader": "select, update (by_id), delete"},
    "balint_sessions.Attendance": {"reader": "select, update (put_down_by_id), delete"},
    "balint_sessions.CasePresentation": {"reader": ALL},
    "balint_sessions.CasePresence": {"reader": ALL},
    "balint_sessions.CaseCount": {"reader": NO_DELETE},
    "balint_sessions.Step": {"reader": "select, update (by_id), delete"},
    "balint_sessions.RoomPresence": {"reader": "select, update (left_at, seen_at), delete"},
    "balint_sessions.RoomVersion": {"app": NONE, "reader": ALL},
    "balint_sessions.Observer": {"reader": GONE},
    "balint_sessions.SteppedOut": {"reader": "select, insert, delete"},
    "balint_sessions.ShownOut": {"reader": ALL},
    # The sealed columns are not even the reader's to look at.
    "balint_sessions.Reflection": {"reader": "select (id, member_id, session_id), delete"},
    "balint_sessions.LeadersNote": {
        "reader": "select (id, group_id, session_id, author_id, forget_on), delete"
    },
    # What goes with a person who has the account erased, and with a group that ends.
    "balint_sessions.Series": {"reader": "select, update (planned_by_id)"},
    "balint_sessions.CalendarFeed": {"reader": GONE},
    "members.Phone": {"reader": GONE},
    "members.Member_groups": {"reader": GONE},
    "members.Member_user_permissions": {"reader": GONE},
    "account.EmailAddress": {"reader": GONE},
    "account.EmailConfirmation": {"reader": GONE},
    "mfa.Authenticator": {"reader": GONE},
    "usersessions.UserSession": {"reader": GONE},
    "members.CacheEntry": {"reader": GONE},
    "groups.Entrance": {"reader": GONE},
    "groups.Preference": {"reader": GONE},
    "groups.Acceptance": {"reader": GONE},
}
LOGINS = ("app", "roster", "worker", "reader")


def roles_sql(*, in_database: bool = False) -> str:
    """The SQL that a superuser of the server runs once; running it again changes nothing."""
    return IN_DATABASE_SQL if in_database else SERVER_SQL


def rights(model: type[Model]) -> dict[str, str]:
    """What each role may do with the model's table."""
    kind = getattr(model, "balint_kind", None)
    return BY_KIND[kind] | BY_MODEL.get(model._meta.label, {})


def grants_sql() -> str:
    """Every grant, as one text; rights not in the table are taken away."""
    lines = []
    for model in apps.get_models(include_auto_created=True):
        table = connection.ops.quote_name(model._meta.db_table)
        for login in LOGINS:
            lines.append(f"revoke all on {table} from balint_{login};")
            if right := rights(model)[login]:
                lines.append(f"grant {right} on {table} to balint_{login};")
        lines.append(f"grant select on {table} to balint_backup;")
    lines.append("grant usage on all sequences in schema public to balint_app, balint_roster;")
    lines.append("grant select on all sequences in schema public to balint_backup;")
    lines.append("grant select on django_migrations to balint_app, balint_worker, balint_backup;")
    return "\n".join(lines)


def grant_after_migrate(sender: AppConfig, **kwargs: Any) -> None:
    """Apply the table of grants; only the owner of the tables can, and only the owner migrates."""
    if settings.LOGIN == "owner":
        with connection.cursor() as cursor:
            cursor.execute(grants_sql())
