"""Each policy says its row of who may see what, and no function lets somebody past another.

A session is conducted by who led when it began: while it runs by the leaders of its circle, before
and afterwards by who leads now and led then. Who was present for a case belonged to the group then.
"""

# ruff: noqa: S608 - statements put together from our own text, never from anybody's input

from django.db import migrations

from members.row_security import (
    INSIDE,
    LED,
    OWN,
    known_by_group,
    policy,
    reader_function,
    replaced_function,
    same_group,
    stays,
)

BEGAN = "least(s.starts_at, s.opened_at)"
RUNS = f"""(s.settled_at is not null and s.phase <> 'cancelled'
    and s.runs_until > now() and {BEGAN} <= now())"""
FUNCTIONS = [
    reader_function(
        "balint_sessions_i_conduct()",
        "uuid[]",
        f"""
  select coalesce(array_agg(s.id), '{{}}')
  from public.balint_sessions_session s
  where s.id = any(public.balint_sessions_i_run())
    or (s.group_id = any(public.balint_groups_i_lead()) and not {RUNS}
      and exists (
        select from public.groups_membership m
        where m.group_id = s.group_id and m.member_id = public.balint_me()
          and m.role = 'leader' and m.starts_at <= {BEGAN}
          and m.starts_at <= now() and (m.ended_at is null or m.ended_at > now())))
""",
        callers="balint_app",
    ),
    # Present for it, and still inside its group, or of the circle of a session that runs.
    reader_function(
        "balint_cases_i_know()",
        "uuid[]",
        """
  select coalesce(array_agg(c.id), '{}')
  from public.balint_sessions_casepresence p
  join public.balint_sessions_casepresentation c on c.id = p.case_id
  where p.member_id = public.balint_me() and c.forget_on > current_date
    and (c.group_id = any(public.balint_groups_i_am_in())
      or c.session_id = any(public.balint_sessions_i_am_in()))
""",
        callers="balint_app",
    ),
    reader_function(
        "balint_cases_i_may_put_right()",
        "uuid[]",
        """
  select coalesce(array_agg(c.id), '{}')
  from public.balint_sessions_casepresentation c
  where c.id = any(public.balint_cases_i_know())
    and c.session_id = any(public.balint_sessions_i_conduct())
""",
        callers="balint_app",
    ),
    # Only from within the room of a session that goes on, not from a chair at home.
    replaced_function(
        "balint_enter_case_being_told(of_session uuid)",
        "integer",
        """
  with entered as (
    insert into public.balint_sessions_casepresence (id, case_id, group_id, member_id)
    select gen_random_uuid(), c.id, c.group_id, public.balint_me()
    from public.balint_sessions_casepresentation c
    join public.balint_sessions_session s on s.id = c.session_id
    join public.balint_sessions_roompresence r
      on r.session_id = s.id and r.member_id = public.balint_me() and r.left_at is null
    where s.id = of_session and c.being_told and s.setting <> 'in_person'
      and s.phase not in ('planned', 'closed', 'cancelled')
      and s.id = any(public.balint_sessions_i_am_in())
    on conflict (case_id, member_id) do nothing returning 1)
  select count(*)::integer from entered
""",
        kind="volatile",
    ),
    # Who cannot come next time; who was not there last time is nobody's but the leaders' to know.
    replaced_function(
        "balint_who_cannot_come(of_session uuid)",
        "uuid[]",
        """
  select coalesce(array_agg(a.member_id), '{}')
  from public.balint_sessions_answer a
  join public.balint_sessions_session s on s.id = a.session_id
  join public.groups_group g on g.id = s.group_id
  where s.id = of_session and g.shows_absences
    and s.settled_at is not null and s.runs_until > now()
    and a."on" = (s.starts_at at time zone s.time_zone)::date
    and g.id = any(public.balint_groups_i_am_in())
""",
    ),
    # It tells whether somebody is away, so it answers the person, the leaders, the office that
    # plans letters, the worker and commands, and nobody else.
    replaced_function(
        "balint_may_remind(person uuid, of_session uuid)",
        "boolean",
        """
  select exists (
    select from public.balint_sessions_session s
    join public.groups_group g on g.id = s.group_id
    join public.members_member p on p.id = person and p.is_active
    where s.id = of_session
      and (current_setting('role') in ('balint_worker', 'balint_owner')
        or person = public.balint_me()
        or s.group_id = any(public.balint_groups_i_lead())
        or exists (
          select from public.groups_programmeadmin a
          where a.programme_id = g.programme_id and a.member_id = public.balint_me()
            and a.starts_at <= now() and (a.ended_at is null or a.ended_at > now())))
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
""",
    ),
]

T = "balint_sessions_"
ME = "(select public.balint_me())"
CONDUCT = "session_id = any((select public.balint_sessions_i_conduct())::uuid[])"
RUN = "session_id = any((select public.balint_sessions_i_run())::uuid[])"
CIRCLE = "session_id = any((select public.balint_sessions_i_am_in())::uuid[])"
ROOM = "session_id = any((select public.balint_rooms_open_to_me())::uuid[])"
ROOM_OF_GROUP = f"""group_id in (select s.group_id from {T}session s
  where s.id = any((select public.balint_rooms_open_to_me())::uuid[]))"""
KNOW = "any((select public.balint_cases_i_know())::uuid[])"
PUT_RIGHT = "any((select public.balint_cases_i_may_put_right())::uuid[])"
TOLD = f"presenter_id = {ME}"
ALIVE = "forget_on > current_date"
SAT = f"""exists (
  select from {T}session s join groups_membership m on m.group_id = s.group_id
  where s.id = {{session}} and m.member_id = {{table}}.member_id
    and m.starts_at <= {BEGAN} and (m.ended_at is null or m.ended_at > {BEGAN}))"""
SAT_THEN = SAT.format(session=f"{T}attendance.session_id", table=f"{T}attendance")
SESSION_OF_CASE = f"""(
  select c.session_id from {T}casepresentation c where c.id = {T}casepresence.case_id)"""
SAT_AT_CASE = SAT.format(session=SESSION_OF_CASE, table=f"{T}casepresence")
BY_ME = f"put_down_by_id = {ME}"
# A presenter outside the group keeps a lock on the own case, to have it forgotten, and no pen.
UPDATE_CASE = f"""
drop policy app_update on {T}casepresentation;
create policy app_update on {T}casepresentation for update to balint_app
  using ({ALIVE} and ({TOLD} or id = {PUT_RIGHT}))
  with check ({ALIVE} and (({TOLD} and id = {KNOW}) or id = {PUT_RIGHT}));
"""
POLICIES = [
    # The link of the call: for leaders always, for the others from 15 minutes before.
    policy("groups_entrance", "select", LED),
    "drop policy circle_select on groups_entrance;",
    policy("groups_entrance", "select", ROOM_OF_GROUP, name="room"),
    policy(f"{T}change", "insert", f"({LED} or {RUN}) and by_id = {ME}"),
    policy(f"{T}answer", "insert", f"{OWN} and {INSIDE}"),
    policy(f"{T}answer", "update", f"{OWN} and {INSIDE}"),
    policy(f"{T}attendance", "select", f"{OWN} or {CONDUCT}"),
    policy(f"{T}attendance", "insert", f"{CONDUCT} and {BY_ME} and {SAT_THEN}"),
    policy(f"{T}attendance", "update", CONDUCT),
    policy(f"{T}attendance", "delete", CONDUCT),
    policy(f"{T}casepresentation", "select", f"{ALIVE} and ({TOLD} or id = {KNOW})"),
    UPDATE_CASE,
    policy(f"{T}casepresence", "select", f"{OWN} or case_id = {KNOW}"),
    policy(f"{T}casepresence", "insert", f"case_id = {PUT_RIGHT} and {SAT_AT_CASE}"),
    policy(f"{T}casepresence", "delete", f"case_id = {PUT_RIGHT}"),
    policy(f"{T}step", "select", f"{CIRCLE} or {CONDUCT}"),
    policy(f"{T}step", "insert", f"({LED} or {RUN}) and by_id = {ME}"),
    policy(f"{T}step", "delete", CONDUCT),
    policy(f"{T}roompresence", "select", f"{ROOM} or {CONDUCT}"),
    # Leaders open the room before the circle's time has come.
    policy(f"{T}roompresence", "insert", f"{OWN} and ({ROOM} or {CONDUCT})"),
    policy(f"{T}roompresence", "update", f"{OWN} and ({ROOM} or {CONDUCT})"),
    "drop function public.balint_i_led(uuid);",
]

# What a policy cannot say, since it sees one row at a time: what of a case may change, and by whom.
CASE_RULES = f"""
create function public.balint_case_rules() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare mine boolean := old.presenter_id is not distinct from public.balint_me();
begin
  if current_user <> 'balint_app' then
    return new;
  end if;
  if new.presenter_id <> old.presenter_id then
    if new.title_sealed is not null or new.follows_id is not null or not exists (
      select from public.{T}session s
      join public.groups_membership m on m.group_id = s.group_id
      where s.id = new.session_id and m.member_id = new.presenter_id
        and m.starts_at <= {BEGAN} and (m.ended_at is null or m.ended_at > {BEGAN}))
    then
      raise exception 'row-level security: another presenter begins without a title'
        using errcode = 'insufficient_privilege';
    end if;
  elsif not mine and (new.title_sealed, new.title_version)
    is distinct from (old.title_sealed, old.title_version)
  then
    raise exception 'row-level security: a title is the presenter''s alone'
      using errcode = 'insufficient_privilege';
  end if;
  if new.follows_id is distinct from old.follows_id and new.follows_id is not null
    and not (mine and exists (
      select from public.{T}casepresentation e
      where e.id = new.follows_id and e.presenter_id = old.presenter_id))
  then
    raise exception 'row-level security: the earlier case is the presenter''s to name'
      using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger case_rules before update on {T}casepresentation
  for each row execute function public.balint_case_rules();
"""
# Cases come through functions of the reader alone; whoever calls them conducts the session, and a
# telling is taken up again only while the session goes on. A refusal looks like nothing.
TELLING_RULES = f"""
create function public.balint_telling_rules() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user <> 'balint_reader' then
    return new;
  end if;
  if tg_op = 'INSERT' then
    if new.session_id = any(public.balint_sessions_i_conduct()) then
      return new;
    end if;
    return null;
  end if;
  if new.being_told and not old.being_told and not (
    new.session_id = any(public.balint_sessions_i_conduct()) and exists (
      select from public.{T}session s
      where s.id = new.session_id and s.runs_until > now()
        and s.phase not in ('planned', 'closed', 'cancelled')))
  then
    return null;
  end if;
  return new;
end $$;
create trigger telling_rules before insert or update on {T}casepresentation
  for each row execute function public.balint_telling_rules();
"""
IMMOVABLE = {
    f"{T}series": ("group_id",),
    f"{T}session": ("group_id", "uid"),
    f"{T}answer": ("session_id", "group_id", "member_id"),
    f"{T}attendance": ("session_id", "group_id", "member_id"),
    f"{T}casepresentation": ("session_id", "group_id", "order", "being_told", "forget_on"),
    f"{T}roompresence": ("session_id", "group_id", "member_id", "entered_at"),
}
PARENTS = (f"{T}series", f"{T}session", f"{T}casepresentation")
OF_SESSION = ("change", "answer", "attendance", "casepresentation", "step", "roompresence")
SAME_GROUP = (
    ("session_in_its_series_group", f"{T}session", "series_id", f"{T}series"),
    *[
        (f"{name}_in_its_sessions_group", f"{T}{name}", "session_id", f"{T}session")
        for name in OF_SESSION
    ],
    ("presence_in_its_cases_group", f"{T}casepresence", "case_id", f"{T}casepresentation"),
    ("follow_up_in_the_same_group", f"{T}casepresentation", "follows_id", f"{T}casepresentation"),
)


class Migration(migrations.Migration):
    dependencies = [("balint_sessions", "0004_reminders"), ("groups", "0004_guards")]
    operations = [
        migrations.RunSQL("".join(FUNCTIONS)),
        migrations.RunSQL("\n".join(POLICIES)),
        migrations.RunSQL(CASE_RULES + TELLING_RULES),
        migrations.RunSQL("".join(stays(table, *names) for table, names in IMMOVABLE.items())),
        migrations.RunSQL("".join(known_by_group(table) for table in PARENTS)),
        migrations.RunSQL("".join(same_group(*given) for given in SAME_GROUP)),
    ]
