"""Nobody is let past another in the frame: what the application checks, the database checks again.

A trigger for each table of the frame says in one sentence what the web may do there, and who. They
run as whoever asks, since the frame is read by both roles of the web; the owner (commands, seeding,
migrations) and functions of the reader are not asked.
"""

# ruff: noqa: S608 - statements put together from our own text, never from anybody's input

from django.db import migrations

from members.row_security import LED, OWN, as_reader, policy, reader_function

RUNS = (
    "{0}.starts_at <= statement_timestamp()"
    " and ({0}.ended_at is null or {0}.ended_at > statement_timestamp())"
)
M, A = RUNS.format("m"), RUNS.format("a")
# The clock of a request is a little ahead of its transaction's; nothing begins before it is done.
NOW = "now() - interval '1 minute'"

# What the office and the group are to the one who asks. Leading means agreed and not away.
ASKED = f"""
create function public.balint_by_the_web() returns boolean
  language sql stable set search_path = pg_catalog, pg_temp
as $$ select current_user in ('balint_app', 'balint_roster') $$;

create function public.balint_looks_after(of_programme uuid) returns boolean
  language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.groups_programmeadmin a
    where a.programme_id = of_programme and a.member_id = public.balint_me() and {A})
$$;

create function public.balint_belongs(of_group uuid, person uuid) returns boolean
  language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.groups_membership m
    where m.group_id = of_group and m.member_id = person and {M})
$$;

create function public.balint_is_office_of(of_group uuid) returns boolean
  language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.groups_group g
    where g.id = of_group and public.balint_looks_after(g.programme_id))
  and not public.balint_belongs(of_group, public.balint_me())
$$;

create function public.balint_leads(of_group uuid) returns boolean
  language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user <> 'balint_app' then
    return false;
  end if;
  return coalesce(of_group = any(public.balint_groups_i_lead()), false);
end $$;

create function public.balint_refuse(sentence text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'row-level security: %', sentence using errcode = 'insufficient_privilege';
end $$;
"""

# Leaves are private, so whether everyone who must has said yes is worked out here, for those
# inside and the office; whose yes is missing it tells nobody.
YES_IS_MISSING = reader_function(
    "balint_yes_is_missing(of_proposal uuid)",
    "boolean",
    f"""
  with asked as (
    select p.* from public.groups_proposal p
    where p.id = of_proposal and (
      public.balint_belongs(p.group_id, public.balint_me())
      or public.balint_looks_after(p.programme_id))
  ), leaders as (
    select m.member_id from public.groups_membership m join asked on asked.group_id = m.group_id
    where m.role = 'leader' and {M}
  ), everyone as (
    select m.member_id from public.groups_membership m join asked on asked.group_id = m.group_id
    where {M}
      and exists (
        select from public.groups_acceptance c
        where c.member_id = m.member_id and c.group_id = m.group_id)
      and not exists (
        select from public.groups_leave l
        where l.member_id = m.member_id and l.group_id = m.group_id
          and l.starts_at <= now() and (l.ended_at is null or l.ended_at > now()))
  ), said as (
    select c.member_id from public.groups_consent c where c.proposal_id = of_proposal and c.yes
    union
    select asked.proposed_by_id from asked where asked.proposed_as = 'leader'
  )
  select coalesce((
    select case
      when asked.role = 'admin' then false
      when asked.role = 'member'
        then not exists (select from leaders l join said on said.member_id = l.member_id)
      when exists (select from leaders)
        then exists (
          select from leaders l where l.member_id not in (
            select s.member_id from said s where s.member_id is not null))
      else exists (
        select from everyone e where e.member_id not in (
          select s.member_id from said s where s.member_id is not null))
    end from asked), true)
""",
    callers="balint_app, balint_roster, balint_owner",
)
# For the worker, who sends word to those asked and reads no leave.
NOT_AWAY = reader_function(
    "balint_is_not_away(person uuid, of_group uuid)",
    "boolean",
    """
  select not exists (
    select from public.groups_leave l
    where l.member_id = person and l.group_id = of_group
      and l.starts_at <= now() and (l.ended_at is null or l.ended_at > now()))
""",
    callers="balint_worker",
)


def guard(table: str, events: str, declared: str, body: str) -> str:
    """A trigger before each row of the web's; what it does not let through it refuses."""
    name = f"balint_guard_{table.removeprefix('groups_')}"
    return f"""
create function public.{name}() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  me uuid := public.balint_me();
{declared}begin
  if not public.balint_by_the_web() then
    return case when tg_op = 'DELETE' then old else new end;
  end if;
{body}
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger guard before {events} on {table}
  for each row execute function public.{name}();
"""


# Proposed by the side it says, said yes to by all who must, accepted by the person alone.
PROPOSAL = guard(
    "groups_proposal",
    "insert or update",
    """  address text := (select lower(p.email) from public.members_member p where p.id = me);
  my_side boolean := case
    when new.group_id is null then public.balint_looks_after(new.programme_id)
    when new.proposed_as = 'leader' then public.balint_leads(new.group_id)
    else public.balint_is_office_of(new.group_id) end;
""",
    f"""
  if tg_op = 'INSERT' then
    if not my_side or new.proposed_as = 'command' or new.sends <> 0
      or new.proposed_by_id is distinct from me
      or num_nonnulls(new.consented_at, new.refused_at, new.withdrawn_at, new.declined_at,
        new.accepted_at, new.accepted_by_id) > 0
      or (new.group_id is null and lower(new.address) = address)
      or (new.group_id is not null and new.programme_id is distinct from (
        select g.programme_id from public.groups_group g where g.id = new.group_id))
    then
      perform public.balint_refuse('a proposal is the office''s or the leaders'' to make');
    end if;
    return new;
  end if;
  if num_nonnulls(old.refused_at, old.withdrawn_at, old.declined_at, old.accepted_at) > 0
    or num_nonnulls(new.refused_at, new.withdrawn_at, new.declined_at, new.accepted_at) > 1
    or (new.proposed_by_id, new.proposed_at) is distinct from (old.proposed_by_id, old.proposed_at)
    or (new.accepted_at is null and new.accepted_by_id is not null)
  then
    perform public.balint_refuse('a proposal is settled once, as it was made');
  end if;
  if new.consented_at is distinct from old.consented_at then
    if old.consented_at is not null or public.balint_yes_is_missing(new.id)
      or not (my_side or exists (
        select from public.groups_consent c
        where c.proposal_id = new.id and c.member_id = me and c.yes))
    then
      perform public.balint_refuse('somebody''s yes is missing');
    end if;
  elsif (new.sends, new.expires_at) is distinct from (old.sends, old.expires_at)
    and (not my_side or old.consented_at is null
      or (new.role = 'leader' and public.balint_yes_is_missing(new.id)))
  then
    perform public.balint_refuse('an invitation is sent again by those who proposed');
  end if;
  if new.refused_at is not null and not exists (
    select from public.groups_consent c
    where c.proposal_id = new.id and c.member_id = me and not c.yes)
  then
    perform public.balint_refuse('who says no was asked');
  end if;
  if new.withdrawn_at is not null and not my_side then
    perform public.balint_refuse('those withdraw who proposed');
  end if;
  if new.declined_at is not null and old.consented_at is null then
    perform public.balint_refuse('who was not invited declines nothing');
  end if;
  if new.accepted_at is not null and (
    current_user <> 'balint_app' or old.consented_at is null
    or new.accepted_by_id is distinct from me or lower(new.address) is distinct from address
    or new.accepted_at < {NOW} or new.expires_at <= now()
    or (new.proposed_by_id = me and not exists (
      select from public.groups_consent c
      where c.proposal_id = new.id and c.yes and c.member_id <> me)))
  then
    perform public.balint_refuse('an invitation is the invited person''s to accept');
  end if;
""",
)

# A yes or no is one's own, of one who is asked, and never to one's own proposal or wish.
CONSENT = guard(
    "groups_consent",
    "insert or update",
    """  p public.groups_proposal;
  e public.groups_ending;
  led boolean;
""",
    f"""
  if tg_op = 'UPDATE' or new.member_id is distinct from me or current_user <> 'balint_app' then
    perform public.balint_refuse('a yes or a no is given once, in one''s own name');
  end if;
  if new.ending_id is not null then
    select * into e from public.groups_ending where id = new.ending_id;
    if e.withdrawn_at is not null or e.confirmed_at is not null
      or not public.balint_leads(e.group_id) or (e.asked_as = 'admin' and e.asked_by_id = me)
    then
      perform public.balint_refuse('an ending is the leaders'' to confirm, and nobody''s own');
    end if;
    return new;
  end if;
  select * into p from public.groups_proposal where id = new.proposal_id;
  led := exists (
    select from public.groups_membership m
    where m.group_id = p.group_id and m.role = 'leader' and {M});
  if p.consented_at is not null or p.proposed_by_id = me
    or num_nonnulls(p.refused_at, p.withdrawn_at, p.declined_at, p.accepted_at) > 0
    or not (public.balint_leads(p.group_id) or (
      p.role = 'leader' and not led and p.group_id = any(public.balint_groups_i_am_in())))
  then
    perform public.balint_refuse('a proposal is answered by those who are asked');
  end if;
""",
)

# A place begins with an invitation its own person accepted, and each opens one place alone.
# It ends on the day of a confirmed ending or of the group's, and goes on when the side that set it
# takes it back. (What looks at the group's end is planned when it runs: its table comes later.)
MEMBERSHIP = guard(
    "groups_membership",
    "insert or update",
    """  of_group timestamptz := (
    select g.ends_at from public.groups_groupend g
    where g.group_id = new.group_id and g.confirmed_at is not null
      and g.withdrawn_at is null and g.forgotten_at is null);
""",
    f"""
  if tg_op = 'INSERT' then
    if new.ended_at is not null or new.starts_at < {NOW}
      or new.member_id is distinct from me or not exists (
        select from public.groups_proposal p
        where p.group_id = new.group_id and p.role = new.role
          and p.accepted_by_id = new.member_id and p.consented_at is not null
          and p.accepted_at <= new.starts_at
          and not exists (
            select from public.groups_membership m
            where m.group_id = p.group_id and m.member_id = new.member_id
              and m.starts_at >= p.accepted_at))
    then
      perform public.balint_refuse('a place begins with an accepted invitation');
    end if;
    return new;
  end if;
  if new.ended_at is not distinct from old.ended_at then
    return new;
  end if;
  if new.ended_at is not null and (new.ended_at > old.ended_at and new.ended_at = of_group)
    is distinct from true
  then
    if new.ended_at > old.ended_at or not exists (
      select from public.groups_ending e
      where e.membership_id = new.id and e.withdrawn_at is null and e.confirmed_at is not null
        and (e.ends_at = new.ended_at or (e.ends_at > of_group and new.ended_at = of_group)))
    then
      perform public.balint_refuse('a place ends on the day of a confirmed ending');
    end if;
    return new;
  end if;
  if old.ended_at <= now() or new.ended_at is distinct from of_group
    or exists (
      select from public.groups_ending e
      where e.membership_id = new.id and e.withdrawn_at is null)
    or not exists (
      select from public.groups_ending e
      where e.membership_id = new.id and e.confirmed_at is not null and e.ends_at = old.ended_at
        and case when e.asked_as = 'person' then new.member_id = me
            else public.balint_leads(new.group_id) end)
    or (not public.balint_leads(new.group_id) and exists (
      select from public.groups_ending e
      where e.membership_id = new.id and e.confirmed_at is not null and e.asked_as <> 'person'))
  then
    perform public.balint_refuse('a place goes on when those who set its end take it back');
  end if;
""",
)

# Asked in one's own name and role; confirmed by the person for themselves, else by the leaders.
ENDING = guard(
    "groups_ending",
    "insert or update",
    """  whose uuid := (
    select m.member_id from public.groups_membership m where m.id = new.membership_id);
  leads boolean := public.balint_leads(new.group_id);
""",
    f"""
  if tg_op = 'INSERT' then
    if new.asked_by_id is distinct from me or new.confirmed_at is not null
      or new.withdrawn_at is not null or not (case new.asked_as
        when 'person' then whose = me
        when 'leader' then leads and whose <> me
        when 'admin' then public.balint_is_office_of(new.group_id)
        else false end)
    then
      perform public.balint_refuse('an ending is asked for in one''s own name');
    end if;
    return new;
  end if;
  if old.withdrawn_at is not null
    or (new.asked_by_id, new.asked_at) is distinct from (old.asked_by_id, old.asked_at)
    or (old.confirmed_at is not null and (new.confirmed_at, new.ends_at)
      is distinct from (old.confirmed_at, old.ends_at))
    or (new.confirmed_at is null and new.ends_at <> old.ends_at)
  then
    perform public.balint_refuse('an ending stays as it was said yes to');
  end if;
  if new.confirmed_at is not null and old.confirmed_at is null and (
    new.ends_at < least(old.ends_at, {NOW}) or new.withdrawn_at is not null
    or (new.asked_as = 'person' and whose is distinct from me)
    or (new.asked_as <> 'person' and (not leads or exists (
      select from public.groups_membership m
      where m.group_id = new.group_id and m.role = 'leader' and {M}
        and (m.id = new.membership_id or not exists (
          select from public.groups_leave l
          where l.member_id = m.member_id and l.group_id = m.group_id
            and l.starts_at <= now() and (l.ended_at is null or l.ended_at > now())))
        and not exists (
          select from public.groups_consent c
          where c.ending_id = new.id and c.member_id = m.member_id and c.yes)))))
  then
    perform public.balint_refuse('an ending is the person''s own, or all the leaders'' yes');
  end if;
  if new.withdrawn_at is not null and (
    (old.confirmed_at is not null and old.ends_at <= now())
    or not (whose = me
      or (new.asked_as <> 'person' and leads)
      or (new.asked_as = 'admin' and old.confirmed_at is null
        and public.balint_is_office_of(new.group_id))))
  then
    perform public.balint_refuse('an ending is taken back by those who asked for it');
  end if;
""",
)

# Somebody looks after a programme who accepted a fellow admin's invitation, or the command's.
ADMIN = guard(
    "groups_programmeadmin",
    "insert or update",
    "",
    f"""
  if tg_op = 'INSERT' and (
    new.member_id is distinct from me or new.ended_at is not null or new.starts_at < {NOW}
    or not exists (
      select from public.groups_proposal p
      where p.programme_id = new.programme_id and p.role = 'admin' and p.group_id is null
        and p.accepted_by_id = new.member_id and p.consented_at is not null
        and p.accepted_at <= new.starts_at
        and not exists (
          select from public.groups_programmeadmin a
          where a.programme_id = p.programme_id and a.member_id = new.member_id
            and a.starts_at >= p.accepted_at)))
  then
    perform public.balint_refuse('an admin accepted an invitation');
  end if;
  if tg_op = 'UPDATE' and new.ended_at is distinct from old.ended_at
    and (new.member_id is distinct from me or old.ended_at is not null)
  then
    perform public.balint_refuse('an admin ends only what they are themselves');
  end if;
""",
)

# A group's first text comes with the group; a later one is its leaders', and never changes.
AGREEMENT = guard(
    "groups_agreement",
    "insert or update or delete",
    "",
    """
  if tg_op = 'UPDATE' then
    perform public.balint_refuse('a text that was agreed to stays as it is');
  elsif tg_op = 'DELETE' then
    if old.in_force_at <= now() or not public.balint_leads(old.group_id) then
      perform public.balint_refuse('leaders take back a text that has not begun');
    end if;
  elsif new.written_by_id is distinct from me or not (case
    when new.version = 1 then public.balint_is_office_of(new.group_id) and not exists (
      select from public.groups_membership m where m.group_id = new.group_id)
    else public.balint_leads(new.group_id) and new.in_force_at > now() end)
  then
    perform public.balint_refuse('a group''s text is written by its leaders');
  end if;
""",
)

# Agreed to in one's own name, by who belongs to the group, now, and to what holds.
ACCEPTANCE = guard(
    "groups_acceptance",
    "insert or update or delete",
    "",
    f"""
  if tg_op <> 'INSERT' or current_user <> 'balint_app' or new.member_id is distinct from me
    or not public.balint_belongs(new.group_id, me) or new.accepted_at < {NOW}
    or not exists (
      select from public.groups_agreement v
      where v.id = new.agreement_id and v.in_force_at <= new.accepted_at)
  then
    perform public.balint_refuse('one agrees once, for oneself');
  end if;
""",
)

# What one wishes is one's own.
PREFERENCE = guard(
    "groups_preference",
    "insert or update or delete",
    "",
    """
  if (case when tg_op = 'DELETE' then old.member_id else new.member_id end) is distinct from me then
    perform public.balint_refuse('wishes are one''s own');
  end if;
""",
)

# Made by who looks after the programme; its frame is the office's and the leaders', its inside
# the leaders' alone, and cases are kept longer by nobody who is not alone there.
GROUP = guard(
    "groups_group",
    "insert or update",
    "  frame text[] := array['name', 'setting', 'place', 'time_zone', 'cap', 'contact'];\n",
    f"""
  if tg_op = 'INSERT' then
    if not public.balint_looks_after(new.programme_id) then
      perform public.balint_refuse('a group is made by who looks after the programme');
    end if;
    return new;
  end if;
  if to_jsonb(new) = to_jsonb(old) or public.balint_leads(new.id) then
    if new.keeps_cases_days > old.keeps_cases_days and exists (
      select from public.groups_membership m
      where m.group_id = new.id and m.member_id <> me and {M})
    then
      perform public.balint_refuse('cases are kept longer by everyone''s yes');
    end if;
    return new;
  end if;
  if not public.balint_is_office_of(new.id) or to_jsonb(new) - frame <> to_jsonb(old) - frame then
    perform public.balint_refuse('a group is set up by its leaders, its frame by the office too');
  end if;
""",
)
# Who has left keeps the own leave to read, and to forget why; the rest of it stays as it was.
LEAVE = guard(
    "groups_leave",
    "update",
    "",
    """
  if old.member_id = me and not public.balint_belongs(old.group_id, me) and (
    new.reason_sealed is not null or to_jsonb(new) - array['reason_sealed', 'reason_version']
      <> to_jsonb(old) - array['reason_sealed', 'reason_version'])
  then
    perform public.balint_refuse('who has left forgets, and changes nothing else');
  end if;
""",
)
GUARDS = (
    PROPOSAL,
    CONSENT,
    MEMBERSHIP,
    ENDING,
    ADMIN,
    AGREEMENT,
    ACCEPTANCE,
    PREFERENCE,
    GROUP,
    LEAVE,
)

# A new leader inherits nothing: leaves and reasons that ended before the own lead stay closed.
LED_THEN = """exists (
  select from groups_membership m
  where m.group_id = {table}.group_id and m.member_id = (select public.balint_me())
    and m.role = 'leader' and m.starts_at <= now() and (m.ended_at is null or m.ended_at > now())
    and ({still}))"""
LEAVE_RAN = LED_THEN.format(
    table="groups_leave",
    still="groups_leave.ended_at is null or groups_leave.ended_at > m.starts_at",
)
ENDING_RAN = LED_THEN.format(
    table="groups_leavingreason",
    still="""m.starts_at < (
      select e.ends_at from groups_ending e where e.id = groups_leavingreason.ending_id)""",
)
WROTE_IT = f"""({OWN} and exists (
  select from groups_ending e
  where e.id = groups_leavingreason.ending_id and e.asked_by_id = (select public.balint_me())))"""
BELONGS = """exists (
  select from groups_membership m
  where m.group_id = groups_leave.group_id and m.member_id = groups_leave.member_id
    and (m.ended_at is null or m.ended_at > now()))"""
# A leader who is away is not asked for a yes: so no leader puts the other there.
NO_LEADERS = """not exists (
  select from groups_membership m
  where m.group_id = groups_leave.group_id and m.member_id = groups_leave.member_id
    and m.role = 'leader' and m.starts_at <= now()
    and (m.ended_at is null or m.ended_at > now()))"""
LEADERS_LEAVE = f"({LED} and {LEAVE_RAN})"
LEADERS_TO_SET = f"({LEADERS_LEAVE} and {NO_LEADERS})"
LEADERS_REASON = f"({LED} and {ENDING_RAN})"
POLICIES = [
    policy("groups_leave", "select", f"{OWN} or {LEADERS_LEAVE}"),
    policy("groups_leave", "insert", f"({OWN} or {LEADERS_TO_SET}) and {BELONGS}"),
    policy("groups_leave", "update", f"{OWN} or {LEADERS_TO_SET}"),
    policy("groups_leave", "delete", f"({OWN} and {BELONGS}) or {LEADERS_TO_SET}"),
    policy("groups_leavingreason", "select", f"{LEADERS_REASON} or {WROTE_IT}"),
    policy("groups_leavingreason", "update", f"{LEADERS_REASON} or {WROTE_IT}"),
    policy("groups_leavingreason", "delete", f"{LEADERS_REASON} or {WROTE_IT}"),
]


class Migration(migrations.Migration):
    dependencies = [("groups", "0004_guards"), ("members", "0006_own_account")]
    operations = [
        migrations.RunSQL(ASKED),
        migrations.RunSQL(as_reader("drop function public.balint_voices_for_a_leader(uuid);")),
        migrations.RunSQL(YES_IS_MISSING + NOT_AWAY),
        migrations.RunSQL("".join(GUARDS)),
        migrations.RunSQL("".join(POLICIES)),
    ]
