"""Few are coming: counted among those expected alone, and for meetings of the next two weeks.

Before that there is time enough to come after all, and one “no” to a whole year would be a letter
for each date of it. Whoever is not expected, a leader or somebody away, makes nothing of it fewer.
"""

from django.db import migrations

from members.row_security import replaced_function

FEW = "balint_sessions_with_few()"

OF_THOSE_EXPECTED = replaced_function(
    FEW,
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
)
OF_ALL = replaced_function(
    FEW,
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
)


class Migration(migrations.Migration):
    dependencies = [("balint_sessions", "0012_few")]
    operations = [migrations.RunSQL(OF_THOSE_EXPECTED, OF_ALL)]
