"""Row-level security of what happens in a group, and the few functions that may look across it."""

import re

from django.db import migrations

from members.row_security import INSIDE, LED, OWN, open_table, reader_function, secure

# Rights in a running session are those of the instant it began.
CIRCLE = """
  from public.balint_sessions_session s
  join public.groups_membership m on m.group_id = s.group_id
  where m.member_id = public.balint_me() and s.phase <> 'cancelled'
    and s.runs_until > now() and least(s.starts_at, s.opened_at) <= now()
    and m.starts_at <= least(s.starts_at, s.opened_at)
    and (m.ended_at is null or m.ended_at > least(s.starts_at, s.opened_at))
    and not exists (
      select from public.groups_leave l
      where l.member_id = m.member_id and l.group_id = m.group_id
        and l.starts_at <= least(s.starts_at, s.opened_at)
        and (l.ended_at is null or l.ended_at > least(s.starts_at, s.opened_at)))
"""
FORGET = """
  with counted as (
    insert into public.balint_sessions_casecount (id, group_id, year, cases)
    select gen_random_uuid(), c.group_id, extract(year from s.starts_at), count(*)
    from public.balint_sessions_casepresentation c
    join public.balint_sessions_session s on s.id = c.session_id
    where {which} group by c.group_id, extract(year from s.starts_at)
    on conflict (group_id, year)
      do update set cases = public.balint_sessions_casecount.cases + excluded.cases
    returning 1
  ), loosened as (
    update public.balint_sessions_casepresentation set follows_id = null
    where follows_id in (
      select c.id from public.balint_sessions_casepresentation c where {which})
    and not ({which_self})
    returning 1
  ), presences as (
    delete from public.balint_sessions_casepresence p
    using public.balint_sessions_casepresentation c
    where p.case_id = c.id and {which} returning 1
  ), forgotten as (
    delete from public.balint_sessions_casepresentation c where {which} returning 1
  )
  select count(*)::integer from forgotten
"""
DUE = "c.forget_on <= current_date"
THIS = "c.id = of_case and c.presenter_id = (select public.balint_me())"


def forget(which: str) -> str:
    itself = re.sub(r"\bc\.", "balint_sessions_casepresentation.", which)
    return FORGET.format(which=which, which_self=itself)


FUNCTIONS = {
    "balint_sessions_i_am_in()": reader_function(
        "balint_sessions_i_am_in()",
        "uuid[]",
        f"select coalesce(array_agg(s.id), '{{}}') {CIRCLE}",
        callers="balint_app",
    ),
    "balint_sessions_i_run()": reader_function(
        "balint_sessions_i_run()",
        "uuid[]",
        f"select coalesce(array_agg(s.id), '{{}}') {CIRCLE} and m.role = 'leader'",
        callers="balint_app",
    ),
    "balint_cases_i_was_present_for()": reader_function(
        "balint_cases_i_was_present_for()",
        "uuid[]",
        """
  select coalesce(array_agg(p.case_id), '{}')
  from public.balint_sessions_casepresence p where p.member_id = public.balint_me()
""",
        callers="balint_app",
    ),
    # Leaders of the time of their own lead, as long as they lead.
    "balint_i_led(uuid)": reader_function(
        "balint_i_led(of_session uuid)",
        "boolean",
        """
  select exists (
    select from public.balint_sessions_session s
    join public.groups_membership m on m.group_id = s.group_id
    where s.id = of_session and m.member_id = public.balint_me() and m.role = 'leader'
      and m.starts_at <= s.starts_at and (m.ended_at is null or m.ended_at > now()))
""",
        callers="balint_app",
    ),
    "balint_who_cannot_come(uuid)": reader_function(
        "balint_who_cannot_come(of_session uuid)",
        "uuid[]",
        """
  select coalesce(array_agg(a.member_id), '{}')
  from public.balint_sessions_answer a
  join public.balint_sessions_session s on s.id = a.session_id
  join public.groups_group g on g.id = s.group_id
  where s.id = of_session and g.shows_absences
    and a."on" = (s.starts_at at time zone s.time_zone)::date
    and g.id = any(public.balint_groups_i_am_in())
""",
        callers="balint_app",
    ),
    "balint_may_remind(uuid, uuid)": reader_function(
        "balint_may_remind(person uuid, of_session uuid)",
        "boolean",
        """
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
""",
        callers="balint_app, balint_worker",
    ),
    "balint_enter_case_being_told(uuid)": reader_function(
        "balint_enter_case_being_told(of_session uuid)",
        "integer",
        """
  with entered as (
    insert into public.balint_sessions_casepresence (id, case_id, group_id, member_id)
    select gen_random_uuid(), c.id, c.group_id, public.balint_me()
    from public.balint_sessions_casepresentation c
    where c.session_id = of_session and c.being_told
      and of_session = any(public.balint_sessions_i_am_in())
    on conflict (case_id, member_id) do nothing returning 1)
  select count(*)::integer from entered
""",
        callers="balint_app",
        kind="volatile",
    ),
    "balint_forget_case(uuid)": reader_function(
        "balint_forget_case(of_case uuid)",
        "integer",
        forget(THIS),
        callers="balint_app",
        kind="volatile",
    ),
    "balint_forget_cases_due()": reader_function(
        "balint_forget_cases_due()",
        "integer",
        forget(DUE),
        callers="balint_worker",
        kind="volatile",
    ),
    "balint_forget_words_due()": reader_function(
        "balint_forget_words_due()",
        "integer",
        """
  with old as (
    select id from public.balint_sessions_session where starts_at < now() - interval '30 days'
  ), answers as (
    delete from public.balint_sessions_answer where session_id in (select id from old) returning 1
  ), changes as (
    delete from public.balint_sessions_change where session_id in (select id from old) returning 1
  ), leaving as (
    delete from public.groups_leavingreason where forget_on <= current_date returning 1
  ), leaves as (
    update public.groups_leave set reason_sealed = null, reason_version = reason_version + 1
    where reason_sealed is not null and ended_at < now() - interval '90 days' returning 1
  )
  select ((select count(*) from answers) + (select count(*) from changes)
    + (select count(*) from leaving) + (select count(*) from leaves))::integer
""",
        callers="balint_worker",
        kind="volatile",
    ),
    # A session nobody touched is closed next morning, its attendance unknown; steps are wiped.
    "balint_close_overdue()": reader_function(
        "balint_close_overdue()",
        "integer",
        """
  with over as (
    select id, phase from public.balint_sessions_session where runs_until <= now()
  ), steps as (
    delete from public.balint_sessions_step where session_id in (select id from over) returning 1
  ), rooms as (
    delete from public.balint_sessions_roompresence
    where session_id in (select id from over) returning 1
  ), told as (
    update public.balint_sessions_casepresentation set being_told = false
    where being_told and session_id in (select id from over) returning 1
  ), closed as (
    update public.balint_sessions_session set phase = 'closed', closed_at = now(), updated_at = now()
    where phase not in ('closed', 'cancelled') and runs_until <= now() returning 1
  )
  select count(*)::integer from closed
""",
        callers="balint_worker",
        kind="volatile",
    ),
}
RUN = "session_id = any((select public.balint_sessions_i_run())::uuid[])"
IN_CIRCLE = "session_id = any((select public.balint_sessions_i_am_in())::uuid[])"
PRESENT = "id = any((select public.balint_cases_i_was_present_for())::uuid[])"
LEADS = f"({LED} or {RUN})"
HERE = f"({INSIDE} or {IN_CIRCLE})"
TOLD = "presenter_id = (select public.balint_me())"
ALIVE = "forget_on > current_date"
KNOWN = f"{ALIVE} and ({TOLD} or ({PRESENT} and {HERE}))"
CASE = "case_id = any((select public.balint_cases_i_was_present_for())::uuid[])"
CASE_OF_GROUP = f"{INSIDE} or group_id in (select group_id from balint_sessions_session s where s.id = any((select public.balint_sessions_i_am_in())::uuid[]))"
LEADS_CASE = f"{LED} or group_id in (select group_id from balint_sessions_session s where s.id = any((select public.balint_sessions_i_run())::uuid[]))"
T = "balint_sessions_"
TABLES = {
    f"{T}change": {"select": f"{HERE} or {LEADS}", "insert": LEADS},
    f"{T}answer": {
        "select": f"{OWN} or {LEADS}",
        "insert": OWN,
        "update": OWN,
        "delete": OWN,
    },
    f"{T}attendance": {
        "select": f"{OWN} or public.balint_i_led(session_id)",
        "insert": LEADS,
        "update": f"{LEADS} and public.balint_i_led(session_id)",
        "delete": f"{LEADS} and public.balint_i_led(session_id)",
    },
    f"{T}casepresentation": {
        "select": KNOWN,
        "insert": LEADS,
        "update": f"{ALIVE} and ({TOLD} or ({PRESENT} and {LEADS}))",
        "delete": f"{PRESENT} and {LEADS}",
    },
    f"{T}casepresence": {
        "select": f"{OWN} or ({CASE} and ({CASE_OF_GROUP}))",
        "insert": LEADS_CASE,
        "delete": f"{CASE} and ({LEADS_CASE})",
    },
    f"{T}casecount": {"select": LED},
    f"{T}step": {"select": f"{IN_CIRCLE} or {LED}", "insert": LEADS, "delete": LEADS},
    f"{T}roompresence": {
        "select": f"{IN_CIRCLE} or {LED}",
        "insert": f"{OWN} and {IN_CIRCLE}",
        "update": f"{OWN} and {IN_CIRCLE}",
    },
}


class Migration(migrations.Migration):
    dependencies = [
        ("balint_sessions", "0001_initial"),
        ("groups", "0002_row_level_security"),
    ]
    operations = [
        *[
            migrations.RunSQL(function, f"drop function public.{name};")
            for name, function in FUNCTIONS.items()
        ],
        *[
            migrations.RunSQL(secure(table, **rights), open_table(table))
            for table, rights in TABLES.items()
        ],
    ]
