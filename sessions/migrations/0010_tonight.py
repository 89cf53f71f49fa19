"""Who leads one evening at short notice, and whom the news of a change reached.

Who leads is frame: a trigger says who writes it, and the worker puts it into letters. Whom the news
reached is content, for the person and those who conduct the session, and goes the next morning.
"""

# ruff: noqa: S608 - statements put together from our own text, never from anybody's input

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from members.row_security import (
    INSIDE,
    OWN,
    as_reader,
    open_table,
    reader_function,
    secure,
    stays,
)

LEAD, SEEN = "balint_sessions_eveninglead", "balint_sessions_noticeseen"
CONDUCT = "session_id = any((select public.balint_sessions_i_conduct())::uuid[])"


def reference(table: str, column: str, does: str) -> str:
    """A reference to a person that the database itself lets go of."""
    return f"""
alter table {table} add constraint {table}_{column}
  foreign key ({column}) references members_member (id) on delete {does};
"""


def of_session(table: str) -> str:
    """In its session's group, and gone with the session."""
    return f"""
alter table {table} add constraint {table}_in_its_sessions_group
  foreign key (session_id, group_id) references balint_sessions_session (id, group_id)
  on delete cascade;
"""


REFERENCES = (
    of_session(LEAD)
    + of_session(SEEN)
    + reference(LEAD, "leader_id", "cascade")
    + reference(LEAD, "member_id", "cascade")
    + reference(LEAD, "by_id", "set null")
    + reference(SEEN, "member_id", "cascade")
)
# Those who conduct it say who leads; the substitute agrees, once and for the own person.
GUARD = f"""
create function public.balint_guard_eveninglead() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  me uuid := public.balint_me();
begin
  if not public.balint_by_the_web() then
    return case when tg_op = 'DELETE' then old else new end;
  end if;
  if tg_op = 'DELETE' and old.session_id = any(public.balint_sessions_i_conduct()) then
    return old;
  elsif tg_op = 'INSERT' and new.session_id = any(public.balint_sessions_i_conduct())
    and new.by_id = me and new.agreed_at is null
  then
    return new;
  elsif tg_op = 'UPDATE' and old.member_id = me and old.agreed_at is null
    and new.agreed_at is not null
    and to_jsonb(new) - 'agreed_at' = to_jsonb(old) - 'agreed_at'
  then
    return new;
  end if;
  perform public.balint_refuse('who leads an evening is its leaders'' to say');
  return null;
end $$;
create trigger guard before insert or update or delete on {LEAD}
  for each row execute function public.balint_guard_eveninglead();
"""
# What a substitute needs to lead one evening, from their agreement until the next morning: how to
# get in, and who is not there. No reason, no number, nothing of any other evening.
FOR_SUBSTITUTE = f"""
  select e.door, e.join_link, array(
    select a.member_id from public.balint_sessions_answer a
    where a.session_id = s.id and a."on" = (s.starts_at at time zone s.time_zone)::date
    union
    select l.member_id from public.groups_leave l
    where l.group_id = s.group_id and l.starts_at <= s.starts_at
      and (l.ended_at is null or l.ended_at > s.starts_at))
  from public.{LEAD} t
  join public.balint_sessions_session s on s.id = t.session_id
  left join public.groups_entrance e on e.group_id = s.group_id
  where t.session_id = of_session and t.member_id = public.balint_me()
    and t."on" = (s.starts_at at time zone s.time_zone)::date
    and t.agreed_at is not null and s.phase <> 'cancelled' and s.runs_until > now()
"""
ENDED = """exists (
      select from public.groups_groupend e
      where e.group_id = s.group_id and e.forgotten_at is not null)"""
FORGET = f"""
  with seen as (
    delete from public.{SEEN} n using public.balint_sessions_session s
    where s.id = n.session_id and (s.runs_until <= now() or {ENDED}) returning 1
  ), leads as (
    delete from public.{LEAD} t using public.balint_sessions_session s
    where s.id = t.session_id and (s.starts_at < now() - interval '30 days' or {ENDED})
    returning 1
  )
  select ((select count(*) from seen) + (select count(*) from leads))::integer
"""


def person(related_name: str = "+", **more: object) -> models.ForeignKey:
    return models.ForeignKey(
        db_constraint=False,
        on_delete=more.pop("on_delete", django.db.models.deletion.CASCADE),
        related_name=related_name,
        to=settings.AUTH_USER_MODEL,
        **more,
    )


def group() -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="groups.group"
    )


def session(kind: type[models.ForeignKey], related_name: str) -> models.ForeignKey:
    return kind(
        db_constraint=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name=related_name,
        to="balint_sessions.session",
    )


def key() -> models.UUIDField:
    return models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [
        ("balint_sessions", "0009_proposed"),
        ("groups", "0007_record"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="EveningLead",
            fields=[
                ("id", key()),
                (
                    "kind",
                    models.CharField(
                        choices=[("alone", "alone"), ("substitute", "substitute")], max_length=12
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=120)),
                ("address", models.EmailField(blank=True, max_length=254)),
                ("agreed_at", models.DateTimeField(blank=True, null=True)),
                ("on", models.DateField()),
                ("at", models.DateTimeField()),
                (
                    "by",
                    person(null=True, on_delete=django.db.models.deletion.SET_NULL),
                ),
                ("group", group()),
                ("leader", person(null=True)),
                ("member", person("stands_in", null=True)),
                ("session", session(models.OneToOneField, "evening_lead")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(
                            kind="alone", leader__isnull=False, name="", address="", member=None
                        )
                        | (Q(kind="substitute") & ~Q(name="") & ~Q(address="")),
                        name="a_substitute_has_a_name_and_who_leads_alone_is_a_leader",
                    ),
                    models.CheckConstraint(
                        condition=Q(agreed_at=None) | Q(member__isnull=False),
                        name="only_an_account_agrees",
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            name="NoticeSeen",
            fields=[
                ("id", key()),
                ("seen_at", models.DateTimeField()),
                ("group", group()),
                ("member", person()),
                ("session", session(models.ForeignKey, "+")),
            ],
            options={
                "indexes": [models.Index(fields=["member"], name="seen_notices_of_member")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("session", "member"),
                        name="one_seen_notice_per_member_and_session",
                    )
                ],
            },
        ),
        migrations.RunSQL(
            secure(
                SEEN,
                select=f"{OWN} or {CONDUCT}",
                insert=f"{OWN} and {INSIDE}",
                update=f"{OWN} and {INSIDE}",
            ),
            open_table(SEEN),
        ),
        migrations.RunSQL(REFERENCES),
        migrations.RunSQL(
            stays(SEEN, "session_id", "group_id", "member_id")
            + stays(LEAD, "session_id", "group_id")
        ),
        migrations.RunSQL(GUARD),
        migrations.RunSQL(
            reader_function(
                "balint_for_substitute(of_session uuid)",
                "table (door varchar, join_link varchar, away uuid[])",
                FOR_SUBSTITUTE,
                callers="balint_app",
            ),
            as_reader("drop function public.balint_for_substitute(uuid);"),
        ),
        migrations.RunSQL(
            reader_function(
                "balint_forget_tonight()",
                "integer",
                FORGET,
                callers="balint_worker",
                kind="volatile",
            ),
            as_reader("drop function public.balint_forget_tonight();"),
        ),
    ]
