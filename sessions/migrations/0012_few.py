"""Which meetings few are coming to: the worker learns that much, and reads no answer.

Expected are members who belong to the group when it starts, agreed once, are not away then and did
not say that they cannot come. Under four a meeting hardly works; nobody said no, nobody is told.
"""

from django.db import migrations

from members.row_security import as_reader, reader_function

FEW = reader_function(
    "balint_sessions_with_few()",
    "uuid[]",
    """
  select coalesce(array_agg(s.id), '{}')
  from public.balint_sessions_session s
  where s.settled_at is not null and s.phase = 'planned' and s.starts_at > now()
    and exists (
      select from public.balint_sessions_answer a
      where a.session_id = s.id and a."on" = (s.starts_at at time zone s.time_zone)::date)
    and 4 > (
      select count(distinct m.member_id)
      from public.groups_membership m
      join public.members_member p on p.id = m.member_id and p.is_active
      where m.group_id = s.group_id and m.role = 'member'
        and m.starts_at <= s.starts_at and (m.ended_at is null or m.ended_at > s.starts_at)
        and exists (
          select from public.groups_acceptance c
          where c.member_id = m.member_id and c.group_id = s.group_id)
        and not exists (
          select from public.groups_leave l
          where l.member_id = m.member_id and l.group_id = s.group_id
            and l.starts_at <= s.starts_at and (l.ended_at is null or l.ended_at > s.starts_at))
        and not exists (
          select from public.balint_sessions_answer a
          where a.session_id = s.id and a.member_id = m.member_id
            and a."on" = (s.starts_at at time zone s.time_zone)::date))
""",
    callers="balint_worker",
)


class Migration(migrations.Migration):
    dependencies = [("balint_sessions", "0011_following")]
    operations = [
        migrations.RunSQL(FEW, as_reader("drop function public.balint_sessions_with_few();")),
    ]
