"""Who may be reminded: inside now and when the session starts, whatever the roles in between.

A new role is a new row of membership, and the one row that covers both instants may not exist. The
office plans letters too when it ends or begins something, and so do commands.
"""

from django.db import migrations

MAY_REMIND = """
create or replace function public.balint_may_remind(person uuid, of_session uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $body$
  select exists (
    select from public.balint_sessions_session s
    join public.members_member p on p.id = person and p.is_active
    where s.id = of_session
      and exists (
        select from public.groups_membership m
        where m.member_id = person and m.group_id = s.group_id
          and m.starts_at <= now() and (m.ended_at is null or m.ended_at > now()))
      and exists (
        select from public.groups_membership m
        where m.member_id = person and m.group_id = s.group_id
          and m.starts_at <= s.starts_at and (m.ended_at is null or m.ended_at > s.starts_at))
      and not exists (
        select from public.groups_leave l
        where l.member_id = person and l.group_id = s.group_id
          and l.starts_at <= s.starts_at and (l.ended_at is null or l.ended_at > s.starts_at))
      and exists (
        select from public.groups_acceptance c
        where c.member_id = person and c.group_id = s.group_id))
$body$;
"""
WAS = """
create or replace function public.balint_may_remind(person uuid, of_session uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $body$
  select exists (
    select from public.balint_sessions_session s
    join public.groups_membership m on m.group_id = s.group_id and m.member_id = person
    join public.members_member p on p.id = m.member_id and p.is_active
    where s.id = of_session
      and m.starts_at <= now() and (m.ended_at is null or m.ended_at > s.starts_at)
      and not exists (
        select from public.groups_leave l
        where l.member_id = person and l.group_id = s.group_id
          and l.starts_at <= s.starts_at and (l.ended_at is null or l.ended_at > s.starts_at))
      and exists (
        select from public.groups_acceptance c
        where c.member_id = person and c.group_id = s.group_id))
$body$;
"""
SIGNATURE = "public.balint_may_remind(uuid, uuid)"
CALLERS = "balint_roster, balint_owner"


def as_reader(statements: str) -> str:
    """What only the function's owner may do."""
    return f"set local role balint_reader;\n{statements}\nreset role;"


class Migration(migrations.Migration):
    dependencies = [("balint_sessions", "0003_evening")]
    operations = [
        migrations.RunSQL(
            as_reader(f"{MAY_REMIND} grant execute on function {SIGNATURE} to {CALLERS};"),
            as_reader(f"{WAS} revoke execute on function {SIGNATURE} from {CALLERS};"),
        ),
    ]
