"""The evening: whose circle it is, and cases put down without being read back.

A case comes and goes through functions alone: one who was not present may put it down and learns
nothing by it, not even that another stands there already.
"""

from django.db import migrations, models

from members.row_security import INSIDE, LED, OWN, reader_function

BEGAN = "least(s.starts_at, s.opened_at)"
# Rights in a running session are those of the instant it began: inside, agreed, not on leave.
CIRCLE = f"""
  from public.balint_sessions_session s
  join public.groups_membership m on m.group_id = s.group_id
  where m.member_id = public.balint_me() and s.phase <> 'cancelled'
    and s.runs_until > now() and {BEGAN} <= now() and s.settled_at is not null
    and m.starts_at <= {BEGAN} and (m.ended_at is null or m.ended_at > {BEGAN})
    and exists (
      select from public.groups_acceptance c
      join public.groups_agreement a on a.id = c.agreement_id
      where c.member_id = m.member_id and a.group_id = m.group_id and c.accepted_at <= {BEGAN}
        and a.version = (
          select max(v.version) from public.groups_agreement v
          where v.group_id = m.group_id and v.in_force_at <= {BEGAN}))
    and not exists (
      select from public.groups_leave l
      where l.member_id = m.member_id and l.group_id = m.group_id
        and l.starts_at <= {BEGAN} and (l.ended_at is null or l.ended_at > {BEGAN}))
"""
OF_CIRCLE = """
create or replace function public.{name}() returns uuid[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $body$ select coalesce(array_agg(s.id), '{{}}') {circle} $body$;
"""


def as_reader(statements: str) -> str:
    """What only the functions' owner may replace."""
    return f"set local role balint_reader;\n{statements}\nreset role;"


CIRCLES = as_reader(
    OF_CIRCLE.format(name="balint_sessions_i_am_in", circle=CIRCLE)
    + OF_CIRCLE.format(name="balint_sessions_i_run", circle=CIRCLE + " and m.role = 'leader'")
)
LEADS = """
  (s.group_id = any(public.balint_groups_i_lead()) or s.id = any(public.balint_sessions_i_run()))
"""
TAKEN_BACK = f"""
    from public.balint_sessions_casepresentation c
    join public.balint_sessions_session s on s.id = c.session_id
    where {{which}} and {LEADS}
"""
# The tombstone says that these never were, so that no restore counts them.
TAKE_BACK = f"""
  select set_config(
    'balint.never_was', (select coalesce(string_agg(c.id::text, ','), '') {TAKEN_BACK}), true);
  with mine as (
    select c.id {TAKEN_BACK}
  ), loosened as (
    update public.balint_sessions_casepresentation set follows_id = null
    where follows_id in (select id from mine) returning 1
  ), presences as (
    delete from public.balint_sessions_casepresence
    where case_id in (select id from mine) returning 1
  ), gone as (
    delete from public.balint_sessions_casepresentation
    where id in (select id from mine) returning 1
  )
  select count(*)::integer from gone
"""
TELLING = f"""
  with told as (
    update public.balint_sessions_casepresentation c set being_told = {{now}}
    from public.balint_sessions_session s
    where s.id = c.session_id and s.id = of_session and {{which}} and {LEADS}
    returning c."order"
  )
  select max("order")::integer from told
"""
FUNCTIONS = {
    # The room is open to the circle, and to those inside from 15 minutes before the start.
    "balint_rooms_open_to_me()": (
        "balint_rooms_open_to_me()",
        "uuid[]",
        f"""
  select coalesce(array_agg(open.id), '{{}}') from (
    select s.id {CIRCLE}
    union
    select s.id from public.balint_sessions_session s
    where s.group_id = any(public.balint_groups_i_am_in())
      and s.phase = 'planned' and s.settled_at is not null
      and s.starts_at > now() and s.starts_at <= now() + interval '15 minutes'
  ) open
""",
        "",
    ),
    "balint_groups_i_sit_with()": (
        "balint_groups_i_sit_with()",
        "uuid[]",
        f"select coalesce(array_agg(s.group_id), '{{}}') {CIRCLE}",
        "",
    ),
    # Its order if it begins to be told now; nothing otherwise, so that nothing is learnt by it.
    # A presenter whose case stands there already, unseen by the one who puts it down, is left be.
    "balint_put_down_case(uuid, uuid, uuid, boolean, boolean, uuid[])": (
        "balint_put_down_case(new_id uuid, of_session uuid, told_by uuid, is_follow_up boolean,"
        " told_now boolean, present uuid[])",
        "integer",
        f"""
  with place as (
    select s.id, s.group_id, {BEGAN} as began,
      (s.starts_at at time zone s.time_zone)::date + g.keeps_cases_days as forget_on
    from public.balint_sessions_session s
    join public.groups_group g on g.id = s.group_id
    where s.id = of_session and s.phase <> 'cancelled' and {LEADS}
      and (told_now or not exists (
        select from public.balint_sessions_casepresentation c
        where c.session_id = s.id and c.presenter_id = told_by and not exists (
          select from public.balint_sessions_casepresence p
          where p.case_id = c.id and p.member_id = public.balint_me())))
  ), sat as (
    select m.member_id from public.groups_membership m join place on place.group_id = m.group_id
    where m.member_id = any(present || told_by)
      and m.starts_at <= place.began and (m.ended_at is null or m.ended_at > place.began)
  ), told as (
    insert into public.balint_sessions_casepresentation
      (id, session_id, group_id, "order", presenter_id, follow_up, being_told,
       title_version, forget_on)
    select new_id, place.id, place.group_id,
      1 + coalesce((select max(c."order") from public.balint_sessions_casepresentation c
                    where c.session_id = place.id), 0),
      told_by, is_follow_up, told_now, 0, place.forget_on
    from place
    where told_by in (select member_id from sat) and place.forget_on > current_date
    returning id, group_id, "order"
  ), presences as (
    insert into public.balint_sessions_casepresence (id, case_id, group_id, member_id)
    select gen_random_uuid(), told.id, told.group_id, sat.member_id from told, sat returning 1
  )
  select case when told_now then (select "order"::integer from told) end
""",
        "volatile",
    ),
    "balint_end_telling(uuid)": (
        "balint_end_telling(of_session uuid)",
        "integer",
        TELLING.format(now="false", which="c.being_told"),
        "volatile",
    ),
    "balint_tell_again(uuid, integer)": (
        "balint_tell_again(of_session uuid, of_order integer)",
        "integer",
        TELLING.format(now="true", which='c."order" = of_order'),
        "volatile",
    ),
    "balint_take_back_telling(uuid)": (
        "balint_take_back_telling(of_session uuid)",
        "integer",
        TAKE_BACK.format(which="c.session_id = of_session and c.being_told"),
        "volatile",
    ),
    "balint_take_back_case(uuid)": (
        "balint_take_back_case(of_case uuid)",
        "integer",
        TAKE_BACK.format(
            which="c.id = of_case and c.id = any(public.balint_cases_i_was_present_for())"
        ),
        "volatile",
    ),
}
RUN = "session_id = any((select public.balint_sessions_i_run())::uuid[])"
IN_ROOM = "session_id = any((select public.balint_rooms_open_to_me())::uuid[])"
I_LED = f"(public.balint_i_led(session_id) or {RUN})"
CASE = "case_id = any((select public.balint_cases_i_was_present_for())::uuid[])"
RUN_GROUP = """group_id in (select s.group_id from balint_sessions_session s
  where s.id = any((select public.balint_sessions_i_run())::uuid[]))"""
T = "balint_sessions_"


def policy(table: str, right: str, *, using: str = "", check: str = "", name: str = "app") -> str:
    clauses = f" using ({using})" if using else ""
    clauses += f" with check ({check})" if check else ""
    return f"create policy {name}_{right} on {table} for {right} to balint_app{clauses};"


def drop(table: str, *rights: str) -> str:
    return "".join(f"drop policy app_{right} on {table};\n" for right in rights)


POLICIES = "\n".join(
    [
        drop(f"{T}casepresentation", "insert", "delete"),
        drop(f"{T}casepresence", "insert"),
        policy(f"{T}casepresence", "insert", check=f"{CASE} and ({LED} or {RUN_GROUP})"),
        drop(f"{T}roompresence", "select", "insert", "update"),
        policy(f"{T}roompresence", "select", using=f"{IN_ROOM} or {LED}"),
        policy(f"{T}roompresence", "insert", check=f"{OWN} and {IN_ROOM}"),
        policy(
            f"{T}roompresence",
            "update",
            using=f"{OWN} and {IN_ROOM}",
            check=f"{OWN} and {IN_ROOM}",
        ),
        drop(f"{T}attendance", "select", "insert", "update", "delete"),
        policy(f"{T}attendance", "select", using=f"{OWN} or {I_LED}"),
        policy(f"{T}attendance", "insert", check=I_LED),
        policy(f"{T}attendance", "update", using=I_LED, check=I_LED),
        policy(f"{T}attendance", "delete", using=I_LED),
        policy(
            "groups_entrance",
            "select",
            using="group_id = any((select public.balint_groups_i_sit_with())::uuid[])",
            name="circle",
        ),
    ]
)


class Migration(migrations.Migration):
    dependencies = [
        ("balint_sessions", "0002_row_level_security"),
        ("groups", "0002_row_level_security"),
    ]
    operations = [
        migrations.AddField(
            "step", "began_case", models.PositiveSmallIntegerField(null=True)
        ),
        migrations.AddField(
            "step", "ended_case", models.PositiveSmallIntegerField(null=True)
        ),
        migrations.RunSQL(CIRCLES),
        *[
            migrations.RunSQL(
                reader_function(
                    signature, returns, body, callers="balint_app", kind=kind
                ),
                f"drop function public.{name};",
            )
            for name, (signature, returns, body, kind) in FUNCTIONS.items()
        ],
        migrations.RunSQL(POLICIES),
    ]
