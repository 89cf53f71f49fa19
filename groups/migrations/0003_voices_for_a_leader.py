"""Who is asked when a group without a leader shall get one: everyone active who has ever agreed."""

from django.db import migrations

from members.row_security import reader_function

# Nobody inside may look at another's leave, so whose yes is needed is worked out here. Only for
# those inside and the programme's admins, and only as long as nobody leads.
VOICES = reader_function(
    "balint_voices_for_a_leader(of_group uuid)",
    "uuid[]",
    """
  select coalesce(array_agg(m.member_id), '{}')
  from public.groups_membership m
  where m.group_id = of_group
    and m.starts_at <= now() and (m.ended_at is null or m.ended_at > now())
    and exists (
      select from public.groups_acceptance c
      where c.member_id = m.member_id and c.group_id = m.group_id)
    and not exists (
      select from public.groups_leave l
      where l.member_id = m.member_id and l.group_id = m.group_id
        and l.starts_at <= now() and (l.ended_at is null or l.ended_at > now()))
    and not exists (
      select from public.groups_membership leads
      where leads.group_id = m.group_id and leads.role = 'leader'
        and leads.starts_at <= now() and (leads.ended_at is null or leads.ended_at > now()))
    and (exists (
      select from public.groups_membership mine
      where mine.group_id = m.group_id and mine.member_id = public.balint_me()
        and mine.starts_at <= now() and (mine.ended_at is null or mine.ended_at > now()))
    or exists (
      select from public.groups_group g
      join public.groups_programmeadmin a on a.programme_id = g.programme_id
      where g.id = m.group_id and a.member_id = public.balint_me()
        and a.starts_at <= now() and (a.ended_at is null or a.ended_at > now())))
""",
    callers="balint_app, balint_roster",
)


class Migration(migrations.Migration):
    dependencies = [("groups", "0002_row_level_security")]
    operations = [
        migrations.RunSQL(VOICES, "drop function public.balint_voices_for_a_leader(uuid);")
    ]
