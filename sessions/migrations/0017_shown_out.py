"""What all leaders of a running meeting say together: somebody's part in it ends now.

Everything that asks for the circle of a running meeting asks this too, in one condition.
"""

# ruff: noqa: S608 - statements put together from our own text, never from anybody's input

import uuid
from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from members.row_security import (
    OWN,
    as_reader,
    open_table,
    reader_function,
    replaced_function,
    secure,
)

evening = import_module("sessions.migrations.0003_evening")
live = import_module("sessions.migrations.0014_live")

T = "public.balint_sessions_"
TABLE = "balint_sessions_shownout"
IN_ITS_CIRCLE = "session_id = any((select public.balint_sessions_i_run())::uuid[])"
STAYS = f"""
    and not exists (
      select from public.{TABLE} o
      where o.session_id = s.id and o.member_id = m.member_id and o.in_force)
"""
CIRCLE = evening.CIRCLE + STAYS
# What was said of another day has lapsed.
DAY = "(s.starts_at at time zone s.time_zone)::date"
# Who leads this meeting: of its circle, and there unless they had said that they are not.
LEADS = CIRCLE.replace(
    "m.member_id = public.balint_me()", "s.id = of_session and m.role = 'leader'"
)
LEADERS = f"""{LEADS}
    and (exists (
        select from {T}roompresence r
        where r.session_id = s.id and r.member_id = m.member_id and r.left_at is null)
      or not exists (
          select from {T}answer a
          where a.session_id = s.id and a.member_id = m.member_id and a."on" = {DAY})
        and not exists (
          select from {T}eveninglead e
          where e.session_id = s.id and e.kind = 'alone' and e.leader_id <> m.member_id
            and e."on" = {DAY}))
"""
SAID = f"""
  from public.{TABLE} o where o.session_id = of_session and o.member_id = person
"""
I_RUN = "of_session = any(public.balint_sessions_i_run())"
REFERENCES = f"""
alter table {TABLE} add constraint {TABLE}_in_its_sessions_group
  foreign key (session_id, group_id) references balint_sessions_session (id, group_id)
  on delete cascade;
alter table {TABLE} add constraint {TABLE}_member_id
  foreign key (member_id) references members_member (id) on delete cascade;
alter table {TABLE} add constraint {TABLE}_leader_id
  foreign key (leader_id) references members_member (id) on delete cascade;
create trigger moves_the_room after insert or update or delete on {TABLE}
  for each row execute function public.balint_room_moved();
create function public.balint_part_over() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise info using errcode = 'BL001', message = 'person ' || new.member_id;
  return null;
end $$;
create trigger ends_streams after update of in_force on {TABLE}
  for each row when (new.in_force and not old.in_force)
  execute function public.balint_part_over();
"""
FUNCTIONS = {
    # How many leaders are still to say so; nothing where this one may not, or the person tells.
    "balint_show_out(of_session uuid, person uuid)": (
        "integer",
        f"""
  insert into public.{TABLE} (id, session_id, group_id, member_id, leader_id, in_force)
  select gen_random_uuid(), s.id, s.group_id, person, public.balint_me(), false
  from {T}session s
  join public.groups_membership m on m.group_id = s.group_id and m.member_id = person
  where s.id = of_session and {I_RUN} and s.phase not in ('planned', 'closed')
    and m.role = 'member' and m.starts_at <= {evening.BEGAN}
    and (m.ended_at is null or m.ended_at > {evening.BEGAN})
    and not exists (
      select from {T}casepresentation c
      where c.session_id = s.id and c.being_told and c.presenter_id = person)
  on conflict (session_id, member_id, leader_id) do nothing;
  update public.{TABLE} w set in_force = true
  where w.session_id = of_session and w.member_id = person and not w.in_force and {I_RUN}
    and not exists (
      select {LEADERS} and not exists (select {SAID} and o.leader_id = m.member_id));
  update {T}roompresence r set left_at = now()
  where r.session_id = of_session and r.member_id = person and r.left_at is null
    and {I_RUN} and exists (select {SAID} and o.in_force);
  select (
    select count(*)::integer {LEADERS} and not exists (select {SAID} and o.leader_id = m.member_id))
  where exists (select {SAID} and o.leader_id = public.balint_me())
""",
        "balint_app",
    ),
    # Any of them takes it back, for all of them.
    "balint_stays_in(of_session uuid, person uuid)": (
        "integer",
        f"""
  with gone as (delete {SAID} and {I_RUN} returning 1)
  select count(*)::integer from gone
""",
        "balint_app",
    ),
    "balint_forget_shown_out()": (
        "integer",
        f"""
  with gone as (
    delete from public.{TABLE} o using {T}session s
    where s.id = o.session_id and s.runs_until <= now() returning 1)
  select count(*)::integer from gone
""",
        "balint_worker",
    ),
}
CIRCLES = as_reader(
    evening.OF_CIRCLE.format(name="balint_sessions_i_am_in", circle=CIRCLE)
    + evening.OF_CIRCLE.format(name="balint_sessions_i_run", circle=CIRCLE + " and m.role = 'leader'")
)
KNOWN = f"""
  select coalesce(array_agg(c.id), '{{}}')
  from {T}casepresence p
  join {T}casepresentation c on c.id = p.case_id
  where p.member_id = public.balint_me() and c.forget_on > current_date
    and (c.group_id = any(public.balint_groups_i_am_in())
      or c.session_id = any(public.balint_sessions_i_am_in()))
    and not exists (
      select from public.{TABLE} o
      where o.session_id = c.session_id and o.member_id = p.member_id and o.in_force)
"""
OPEN_TO_ME = evening.FUNCTIONS["balint_rooms_open_to_me()"][2]


def owned_by(to: str, **more: object) -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=to, **more
    )


class Migration(migrations.Migration):
    dependencies = [
        ("balint_sessions", "0016_day"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="ShownOut",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("in_force", models.BooleanField(default=False)),
                ("group", owned_by("groups.group")),
                ("leader", owned_by(settings.AUTH_USER_MODEL, db_constraint=False)),
                ("member", owned_by(settings.AUTH_USER_MODEL, db_constraint=False)),
                ("session", owned_by("balint_sessions.session", db_constraint=False)),
            ],
            options={
                "indexes": [models.Index(fields=["member"], name="showings_out_of_member")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("session", "member", "leader"),
                        name="one_showing_out_per_leader_member_and_session",
                    )
                ],
            },
        ),
        migrations.RunSQL(
            secure(TABLE, select=f"({OWN} and in_force) or {IN_ITS_CIRCLE}"), open_table(TABLE)
        ),
        migrations.RunSQL(REFERENCES, migrations.RunSQL.noop),
        *[
            migrations.RunSQL(
                reader_function(signature, returns, body, callers=callers, kind="volatile"),
                as_reader(f"drop function public.{signature};"),
            )
            for signature, (returns, body, callers) in FUNCTIONS.items()
        ],
        migrations.RunSQL(CIRCLES),
        migrations.RunSQL(replaced_function("balint_cases_i_know()", "uuid[]", KNOWN)),
        migrations.RunSQL(
            replaced_function(
                "balint_rooms_open_to_me()",
                "uuid[]",
                OPEN_TO_ME.replace(evening.CIRCLE, CIRCLE),
            )
        ),
        migrations.RunSQL(
            replaced_function(
                "balint_groups_i_sit_with()",
                "uuid[]",
                f"select coalesce(array_agg(s.group_id), '{{}}') {CIRCLE}",
            )
        ),
        migrations.RunSQL(
            replaced_function(
                "balint_live(rooms uuid[], people uuid[], keys text[], here boolean[])",
                "table (room uuid, version bigint, gone text[])",
                live.LIVE.replace(live.MAY, live.MAY + STAYS),
                kind="volatile",
            )
        ),
    ]
