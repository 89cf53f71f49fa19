"""Which meetings few are coming to: the worker learns that much, and reads no answer.

Counted are members who belong to the group when it starts, agreed once and are not away then, less
those of them who said that they cannot come. Under four a meeting hardly works; nobody said no,
nobody is told. Only the next two weeks: before that there is time enough to come after all, and one
“no” to a whole year would be a letter for each date of it.
"""

from django.db import migrations

from members.row_security import as_reader, reader_function

FEW = reader_function(
    "balint_sessions_with_few()",
    "uuid[]",
    """
  with expected as (
    select distinct s.id as session, m.member_id as member,
      (s.starts_at at time zone s.time_zone)::date as day
    from public.balint_sessions_session s
    join public.groups_membership m on m.group_id = s.group_id and m.role = 'member'
      and m.starts_at <= s.starts_at and (m.ended_at is null or m.ended_at > s.starts_at)
    join public.members_member p on p.id = m.member_id and p.is_active
    where s.settled_at is not null and s.phase = 'planned'
      and s.starts_at > now() and s.starts_at < now() + interval '14 days'
      and exists (
        select from public.groups_acceptance c
        where c.member_id = m.member_id and c.group_id = s.group_id)
      and not exists (
        select from public.groups_leave l
        where l.member_id = m.member_id and l.group_id = s.group_id
          and l.starts_at <= s.starts_at and (l.ended_at is null or l.ended_at > s.starts_at))
  ), few as (
    select e.session
    from expected e
    left join public.balint_sessions_answer a
      on a.session_id = e.session and a.member_id = e.member and a."on" = e.day
    group by e.session
    having count(a.id) > 0 and count(*) - count(a.id) < 4
  )
  select coalesce(array_agg(session), '{}') from few
""",
    callers="balint_worker",
)


class Migration(migrations.Migration):
    dependencies = [("balint_sessions", "0011_following")]
    operations = [
        migrations.RunSQL(FEW, as_reader("drop function public.balint_sessions_with_few();")),
    ]
