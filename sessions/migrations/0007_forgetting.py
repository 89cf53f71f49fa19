"""Every class of what is kept is forgotten on time, a person and a group as a whole.

The functions count and delete, and give back nothing but a number; the worker has no right on
content. Whatever somebody might look for in an old backup leaves a tombstone as it goes.
"""

# ruff: noqa: S608 - statements put together from our own text, never from anybody's input

import re

from django.db import migrations

from members.row_security import as_reader, reader_function, replaced_function

T = "public.balint_sessions_"
CASES = f"{T}casepresentation"

# As in 0002: counted for the group, let go by follow-ups, then deleted with who was present.
FORGET = f"""
  with counted as (
    insert into {T}casecount (id, group_id, year, cases)
    select gen_random_uuid(), c.group_id, extract(year from s.starts_at), count(*)
    from {CASES} c join {T}session s on s.id = c.session_id
    where {{which}} group by c.group_id, extract(year from s.starts_at)
    on conflict (group_id, year) do update set cases = {T}casecount.cases + excluded.cases
    returning 1
  ), loosened as (
    update {CASES} set follows_id = null
    where follows_id in (select c.id from {CASES} c where {{which}}) and not ({{which_self}})
    returning 1
  ), presences as (
    delete from {T}casepresence p using {CASES} c
    where p.case_id = c.id and {{which}} returning 1
  ), forgotten as (
    delete from {CASES} c where {{which}} returning 1
  )
"""


def forget(which: str) -> str:
    itself = re.sub(r"\bc\.", "balint_sessions_casepresentation.", which)
    return FORGET.format(which=which, which_self=itself)


WORDS_DUE = f"""
  with old as (
    select id from {T}session where starts_at < now() - interval '30 days'
  ), answers as (
    delete from {T}answer where session_id in (select id from old) returning 1
  ), changes as (
    delete from {T}change where session_id in (select id from old) returning 1
  ), leaving as (
    delete from public.groups_leavingreason where forget_on <= current_date returning 1
  ), leaves as (
    update public.groups_leave l set reason_sealed = null, reason_version = reason_version + 1
    where l.reason_sealed is not null and (
      l.ended_at < now() - interval '90 days'
      -- Who left the group while away is not away any more, though nobody ended the leave.
      or not exists (
        select from public.groups_membership m
        where m.group_id = l.group_id and m.member_id = l.member_id
          and (m.ended_at is null or m.ended_at >= now() - interval '90 days')))
    returning 1
  ), words as (
    delete from {T}leadersnote where forget_on <= current_date returning 1
  )
  select ((select count(*) from answers) + (select count(*) from changes)
    + (select count(*) from leaving) + (select count(*) from leaves)
    + (select count(*) from words))::integer
"""
ATTENDANCE_DUE = f"""
  with old as (
    delete from {T}attendance a using {T}session s
    where s.id = a.session_id and s.starts_at < now() - interval '10 years' returning 1)
  select count(*)::integer from old
"""
# The HTTP session when it has run out, the note of the device 180 days on, and what stood in for
# the cache when it has lapsed.
SIGN_INS_DUE = """
  with run_out as (
    delete from public.django_session where expire_date < now() returning 1
  ), devices as (
    delete from public.usersessions_usersession
    where last_seen_at < now() - interval '180 days' returning 1
  ), lapsed as (
    delete from public.members_cacheentry where expires_at < now() returning 1
  )
  select ((select count(*) from run_out) + (select count(*) from devices)
    + (select count(*) from lapsed))::integer
"""

# Whatever hangs on a group, but for its frame and everyone's own hours and reflections.
FORGET_GROUP = f"""
  {forget("c.group_id = of_group")} select 1 from forgotten limit 1;
  delete from {T}answer where group_id = of_group;
  delete from {T}change where group_id = of_group;
  delete from {T}leadersnote where group_id = of_group;
  delete from {T}step where group_id = of_group;
  delete from {T}roompresence where group_id = of_group;
  delete from public.groups_leavingreason where group_id = of_group;
  delete from public.groups_leave where group_id = of_group;
  delete from public.groups_entrance where group_id = of_group;
  delete from public.members_datakey where scope = of_group and key_class in ('case', 'leaders');
  update public.groups_proposal set withdrawn_at = now()
    where group_id = of_group and refused_at is null and withdrawn_at is null
      and declined_at is null and accepted_at is null;
  update {T}session set phase = 'cancelled', sequence = sequence + 1, updated_at = now()
    where group_id = of_group and phase = 'planned' and starts_at >= ended;
  update public.groups_membership set ended_at = greatest(starts_at, ended)
    where group_id = of_group and (ended_at is null or ended_at > greatest(starts_at, ended));
  insert into public.members_tombstone (id, kind, subject, made_at)
    values (gen_random_uuid(), 'group', of_group, now());
  select 1
"""

# Its last meeting keeps its circle until the next morning, so that hours can be put down.
END_GROUPS_DUE = f"""
create function public.balint_end_groups_due() returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  due record;
  ended integer := 0;
begin
  for due in
    select e.id, e.group_id, e.ends_at from public.groups_groupend e
    where e.confirmed_at is not null and e.withdrawn_at is null and e.forgotten_at is null
      and e.ends_at <= now()
      and not exists (
        select from {T}session s
        where s.group_id = e.group_id and s.phase <> 'cancelled' and s.settled_at is not null
          and least(s.starts_at, s.opened_at) <= now() and s.runs_until > now())
    for update
  loop
    perform public.balint_forget_group(due.group_id, due.ends_at);
    update public.groups_groupend set forgotten_at = now() where id = due.id;
    ended := ended + 1;
  end loop;
  return ended;
end $$;
revoke all on function public.balint_end_groups_due() from public;
grant execute on function public.balint_end_groups_due() to balint_worker;
alter function public.balint_end_groups_due() owner to balint_reader;
"""

# An address somebody only typed may be anybody's; one that was confirmed is theirs.
ADDRESSES = """(
    select lower(m.email) from public.members_member m where m.id = person
    union select lower(a.email) from public.account_emailaddress a
    where a.user_id = person and a.verified)"""
OWN_PROPOSALS = f"""(
    select p.id from public.groups_proposal p
    where p.accepted_by_id = person
      or (p.accepted_by_id is null and lower(p.address) in {ADDRESSES}))"""
OWN_ENDINGS = """(
    select e.id from public.groups_ending e
    join public.groups_membership m on m.id = e.membership_id where m.member_id = person)"""
# Everything that is somebody's; what is others' only loses the name. A table that is missed here
# makes the last statement fail, and with it the whole.
ERASE = f"""
  delete from {T}casepresence where member_id = person;
  delete from {T}reflection where member_id = person;
  delete from {T}leadersnote where author_id = person;
  delete from {T}answer where member_id = person;
  delete from {T}attendance where member_id = person;
  delete from {T}roompresence where member_id = person;
  delete from {T}calendarfeed where member_id = person;
  update {T}series set planned_by_id = null where planned_by_id = person;
  update {T}change set by_id = null where by_id = person;
  update {T}attendance set put_down_by_id = null where put_down_by_id = person;
  update {T}step set by_id = null where by_id = person;
  delete from public.groups_leavingreason
    where member_id = person or ending_id in {OWN_ENDINGS};
  delete from public.groups_consent
    where member_id = person or ending_id in {OWN_ENDINGS} or proposal_id in {OWN_PROPOSALS};
  delete from public.groups_ending where id in {OWN_ENDINGS};
  update public.groups_ending set asked_by_id = null where asked_by_id = person;
  update public.groups_groupend set asked_by_id = null where asked_by_id = person;
  update public.groups_groupend set confirmed_by_id = null where confirmed_by_id = person;
  delete from public.members_letter
    where recipient_id = person or lower(address) in {ADDRESSES} or about_id in {OWN_PROPOSALS};
  delete from public.groups_proposal where id in {OWN_PROPOSALS};
  update public.groups_proposal set proposed_by_id = null where proposed_by_id = person;
  update public.groups_agreement set written_by_id = null where written_by_id = person;
  delete from public.groups_acceptance where member_id = person;
  delete from public.groups_preference where member_id = person;
  delete from public.groups_leave where member_id = person;
  delete from public.groups_membership where member_id = person;
  delete from public.groups_programmeadmin where member_id = person;
  delete from public.members_phone where member_id = person;
  delete from public.members_datakey where scope = person;
  delete from public.django_session where session_key in (
    select u.session_key from public.usersessions_usersession u where u.user_id = person);
  delete from public.usersessions_usersession where user_id = person;
  delete from public.mfa_authenticator where user_id = person;
  delete from public.account_emailconfirmation where email_address_id in (
    select a.id from public.account_emailaddress a where a.user_id = person);
  delete from public.account_emailaddress where user_id = person;
  delete from public.members_member_groups where member_id = person;
  delete from public.members_member_user_permissions where member_id = person;
  delete from public.members_member where id = person;
"""
NO_CASES = f"{forget('c.presenter_id = person')} select 1 from forgotten limit 1;"
RUNS = "m.starts_at <= now() and (m.ended_at is null or m.ended_at > now())"

# The same refusals as the page's, held once more; the groups led are locked, so that of two
# leaders who go at once one is the last.
ERASE_ME = f"""
create function public.balint_erase_me() returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare me uuid := public.balint_me();
begin
  if me is null then
    return false;
  end if;
  perform from public.groups_group g
  where g.id in (
    select m.group_id from public.groups_membership m
    where m.member_id = me and m.role = 'leader' and {RUNS})
  order by g.id for update;
  if public.balint_groups_i_lead_alone() <> '{{}}' then
    raise exception 'row-level security: the only leader of a group with members stays'
      using errcode = 'insufficient_privilege';
  end if;
  if public.balint_sessions_i_am_in() <> '{{}}' then
    raise exception 'row-level security: a meeting that runs keeps its circle'
      using errcode = 'insufficient_privilege';
  end if;
  perform public.balint_erase_person(me);
  return true;
end $$;
revoke all on function public.balint_erase_me() from public;
grant execute on function public.balint_erase_me() to balint_app;
alter function public.balint_erase_me() owner to balint_reader;
"""
FUNCTIONS = [
    (
        "balint_forget_attendance_due()",
        reader_function(
            "balint_forget_attendance_due()",
            "integer",
            ATTENDANCE_DUE,
            callers="balint_worker",
            kind="volatile",
        ),
    ),
    (
        "balint_forget_sign_ins_due()",
        reader_function(
            "balint_forget_sign_ins_due()",
            "integer",
            SIGN_INS_DUE,
            callers="balint_worker",
            kind="volatile",
        ),
    ),
    # For a restored database: by name, whoever asks is the owner of the tables.
    (
        "balint_forget_case_again(uuid)",
        reader_function(
            "balint_forget_case_again(of_case uuid)",
            "integer",
            f"{forget('c.id = of_case')} select count(*)::integer from forgotten",
            callers="balint_reader",
            kind="volatile",
        ),
    ),
    (
        "balint_forget_group(uuid, timestamptz)",
        reader_function(
            "balint_forget_group(of_group uuid, ended timestamptz)",
            "integer",
            FORGET_GROUP,
            callers="balint_reader",
            kind="volatile",
        ),
    ),
    ("balint_end_groups_due()", END_GROUPS_DUE),
    (
        "balint_erase_person(uuid)",
        reader_function(
            "balint_erase_person(person uuid)",
            "integer",
            f"{NO_CASES}{ERASE} select 1",
            callers="balint_reader",
            kind="volatile",
        ),
    ),
    # A person learns of own groups alone; a group without another member needs no leader.
    (
        "balint_groups_i_lead_alone()",
        reader_function(
            "balint_groups_i_lead_alone()",
            "uuid[]",
            f"""
  select coalesce(array_agg(m.group_id), '{{}}')
  from public.groups_membership m
  where m.member_id = public.balint_me() and m.role = 'leader' and {RUNS}
    and exists (
      select from public.groups_membership o
      where o.group_id = m.group_id and o.member_id <> m.member_id
        and o.starts_at <= now() and (o.ended_at is null or o.ended_at > now()))
    and not exists (
      select from public.groups_membership o
      where o.group_id = m.group_id and o.member_id <> m.member_id and o.role = 'leader'
        and o.starts_at <= now() and (o.ended_at is null or o.ended_at > now()))
""",
            callers="balint_app",
        ),
    ),
    ("balint_erase_me()", ERASE_ME),
]
OF_THE_OWNER = (
    "balint_forget_case_again(uuid)",
    "balint_forget_group(uuid, timestamptz)",
    "balint_erase_person(uuid)",
)
TOMBSTONES = {f"{T}casepresentation": "case", f"{T}reflection": "reflection"}
TOMBSTONES |= {f"{T}leadersnote": "note"}


def leaves_a_tombstone(table: str, kind: str) -> str:
    return f"""
create trigger leaves_a_tombstone after delete on {table}
  for each row execute function public.balint_tombstone('{kind}');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("balint_sessions", "0006_reflections_and_notes"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("sessions", "0001_initial"),
        ("usersessions", "0001_initial"),
    ]
    operations = [
        migrations.RunSQL(
            replaced_function("balint_forget_words_due()", "integer", WORDS_DUE, kind="volatile"),
            migrations.RunSQL.noop,
        ),
        *[
            migrations.RunSQL(function, as_reader(f"drop function public.{name};"))
            for name, function in FUNCTIONS
        ],
        # The tables' owner cannot grant to itself what it gives away.
        *[
            migrations.RunSQL(
                as_reader(f"grant execute on function public.{name} to balint_owner;"),
                migrations.RunSQL.noop,
            )
            for name in OF_THE_OWNER
        ],
        *[
            migrations.RunSQL(
                leaves_a_tombstone(table, kind), f"drop trigger leaves_a_tombstone on {table};"
            )
            for table, kind in TOMBSTONES.items()
        ],
    ]
