"""Row-level security of the frame's content: entrances, leaves, reasons, shared numbers."""

from django.db import migrations

from members.row_security import INSIDE, LED, OWN, open_table, reader_function, secure

ACTIVE = """
  from public.groups_membership m
  where m.member_id = public.balint_me()
    and m.starts_at <= now() and (m.ended_at is null or m.ended_at > now())
    and not exists (
      select from public.groups_leave l
      where l.member_id = m.member_id and l.group_id = m.group_id
        and l.starts_at <= now() and (l.ended_at is null or l.ended_at > now()))
"""
FUNCTIONS = [
    reader_function(
        "balint_groups_i_am_in()",
        "uuid[]",
        f"select coalesce(array_agg(m.group_id), '{{}}') {ACTIVE}",
        callers="balint_app",
    ),
    reader_function(
        "balint_groups_i_lead()",
        "uuid[]",
        f"select coalesce(array_agg(m.group_id), '{{}}') {ACTIVE} and m.role = 'leader'",
        callers="balint_app",
    ),
    reader_function(
        "balint_people_who_share_with_me()",
        "uuid[]",
        """
  select coalesce(array_agg(p.member_id), '{}')
  from public.groups_preference p
  join public.groups_membership m on m.group_id = p.group_id and m.member_id = p.member_id
  where p.shares_phone and m.starts_at <= now() and (m.ended_at is null or m.ended_at > now())
    and p.group_id = any(public.balint_groups_i_lead())
""",
        callers="balint_app",
    ),
    # The office sees that a place is kept, of its own programmes, and no reason or date.
    reader_function(
        "balint_places_kept(of_group uuid)",
        "uuid[]",
        """
  select coalesce(array_agg(l.member_id), '{}')
  from public.groups_leave l
  join public.groups_group g on g.id = l.group_id
  join public.groups_programmeadmin a on a.programme_id = g.programme_id
  where g.id = of_group and a.member_id = public.balint_me()
    and a.starts_at <= now() and (a.ended_at is null or a.ended_at > now())
    and l.starts_at <= now() and (l.ended_at is null or l.ended_at > now())
""",
        callers="balint_app, balint_roster",
    ),
]
NAMES = [
    "balint_places_kept(uuid)",
    "balint_people_who_share_with_me()",
    "balint_groups_i_lead()",
    "balint_groups_i_am_in()",
]
OWN_OR_LED = f"{OWN} or {LED}"
SHARED = "member_id = any((select public.balint_people_who_share_with_me())::uuid[])"
TABLES = {
    "groups_entrance": {
        "select": f"{INSIDE} or {LED}",
        "insert": LED,
        "update": LED,
        "delete": LED,
    },
    "groups_leave": dict.fromkeys(("select", "insert", "update", "delete"), OWN_OR_LED),
    "groups_leavingreason": dict.fromkeys(("select", "insert", "update", "delete"), OWN_OR_LED),
}


class Migration(migrations.Migration):
    dependencies = [("groups", "0001_initial"), ("members", "0002_row_level_security")]
    operations = [
        *[
            migrations.RunSQL(function, f"drop function public.{name};")
            for function, name in zip(FUNCTIONS, reversed(NAMES), strict=True)
        ],
        *[
            migrations.RunSQL(secure(table, **rights), open_table(table))
            for table, rights in TABLES.items()
        ],
        migrations.RunSQL(
            f"create policy app_shared on members_phone for select to balint_app using ({SHARED});",
            "drop policy app_shared on members_phone;",
        ),
    ]
