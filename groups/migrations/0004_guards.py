"""Rows stay where they were put, hang on rows of their own group, and reasons reach whom they may.

“Inside” means agreed as well: a newcomer who has not agreed yet sees the frame and no content.
"""

# ruff: noqa: S608 - statements put together from our own text, never from anybody's input

from django.db import migrations

from members.row_security import (
    LED,
    OWN,
    as_reader,
    known_by_group,
    policy,
    replaced_function,
    same_group,
    stays,
)

# Inside now, not on leave, and agreed to the version in force: the same as groups/policy.py.
ACTIVE = """
  from public.groups_membership m
  where m.member_id = public.balint_me()
    and m.starts_at <= now() and (m.ended_at is null or m.ended_at > now())
    and exists (
      select from public.groups_acceptance c
      join public.groups_agreement a on a.id = c.agreement_id
      where c.member_id = m.member_id and a.group_id = m.group_id
        and a.version = (
          select max(v.version) from public.groups_agreement v
          where v.group_id = m.group_id and v.in_force_at <= now()))
    and not exists (
      select from public.groups_leave l
      where l.member_id = m.member_id and l.group_id = m.group_id
        and l.starts_at <= now() and (l.ended_at is null or l.ended_at > now()))
"""
FUNCTIONS = [
    replaced_function(
        "balint_groups_i_am_in()",
        "uuid[]",
        f"select coalesce(array_agg(m.group_id), '{{}}') {ACTIVE}",
    ),
    replaced_function(
        "balint_groups_i_lead()",
        "uuid[]",
        f"select coalesce(array_agg(m.group_id), '{{}}') {ACTIVE} and m.role = 'leader'",
    ),
    # An admin is no admin of a group he belongs to.
    replaced_function(
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
    and exists (
      select from public.groups_membership m
      where m.group_id = l.group_id and m.member_id = l.member_id
        and m.starts_at <= now() and (m.ended_at is null or m.ended_at > now()))
    and not exists (
      select from public.groups_membership m
      where m.group_id = l.group_id and m.member_id = public.balint_me()
        and m.starts_at <= now() and (m.ended_at is null or m.ended_at > now()))
""",
    ),
]

# The owner may move rows in a migration, and the reader's functions change what is theirs.
STAYS = """
create function public.balint_stays() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare name text;
begin
  if current_user in ('balint_owner', 'balint_reader') then
    return new;
  end if;
  foreach name in array tg_argv loop
    if to_jsonb(new) -> name is distinct from to_jsonb(old) -> name then
      raise exception 'row-level security: % of % stays as it is', name, tg_table_name
        using errcode = 'insufficient_privilege';
    end if;
  end loop;
  return new;
end $$;
"""
IMMOVABLE = {
    "members_phone": ("member_id",),
    "groups_entrance": ("group_id",),
    "groups_leave": ("group_id", "member_id"),
    "groups_leavingreason": ("group_id", "member_id", "ending_id"),
    "groups_group": ("programme_id",),
    "groups_programmeadmin": ("programme_id", "member_id", "starts_at"),
    # A new role is a new row, and the time of somebody's lead is not lengthened backwards.
    "groups_membership": ("group_id", "member_id", "role", "starts_at"),
    # What others said yes to.
    "groups_proposal": ("programme_id", "group_id", "role", "address", "proposed_as"),
    "groups_ending": ("group_id", "membership_id", "asked_as"),
    "groups_consent": ("group_id", "proposal_id", "ending_id", "member_id", "yes"),
    "groups_acceptance": ("group_id", "agreement_id", "member_id", "accepted_at"),
    "groups_agreement": ("group_id", "version"),
    "groups_preference": ("group_id", "member_id"),
}
PARENTS = ("groups_agreement", "groups_proposal", "groups_membership", "groups_ending")
SAME_GROUP = (
    ("acceptance_in_its_agreements_group", "groups_acceptance", "agreement_id", PARENTS[0]),
    ("consent_in_its_proposals_group", "groups_consent", "proposal_id", PARENTS[1]),
    ("ending_in_its_memberships_group", "groups_ending", "membership_id", PARENTS[2]),
    ("consent_in_its_endings_group", "groups_consent", "ending_id", PARENTS[3]),
    ("reason_in_its_endings_group", "groups_leavingreason", "ending_id", PARENTS[3]),
)

# What a leader writes about somebody's going the leaders alone read; what one wrote is one's own.
WROTE_IT = f"""({OWN} and exists (
  select from groups_ending e
  where e.id = groups_leavingreason.ending_id and e.asked_by_id = (select public.balint_me())))"""
OF_WHO_LEAVES = """exists (
  select from groups_ending e join groups_membership m on m.id = e.membership_id
  where e.id = groups_leavingreason.ending_id
    and m.member_id = groups_leavingreason.member_id)"""
BELONGS = """exists (
  select from groups_membership m
  where m.group_id = groups_leave.group_id and m.member_id = groups_leave.member_id
    and (m.ended_at is null or m.ended_at > now()))"""
POLICIES = [
    policy("groups_leave", "insert", f"({OWN} or {LED}) and {BELONGS}"),
    policy("groups_leavingreason", "select", f"{LED} or {WROTE_IT}"),
    policy("groups_leavingreason", "insert", f"({LED} or {WROTE_IT}) and {OF_WHO_LEAVES}"),
    policy("groups_leavingreason", "update", f"{LED} or {WROTE_IT}"),
    policy("groups_leavingreason", "delete", f"{LED} or {WROTE_IT}"),
]

# Whoever takes an ending back may not be one who may see its reason.
REASON_GOES_TOO = f"""
create function public.balint_forget_leaving_reason() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from public.groups_leavingreason where ending_id = new.id;
  return null;
end $$;
revoke all on function public.balint_forget_leaving_reason() from public;
alter function public.balint_forget_leaving_reason() owner to balint_reader;
{as_reader("grant execute on function public.balint_forget_leaving_reason() to balint_owner;")}
create trigger reason_goes_with_its_ending after update of withdrawn_at on groups_ending
  for each row when (new.withdrawn_at is not null and old.withdrawn_at is null)
  execute function public.balint_forget_leaving_reason();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("groups", "0003_voices_for_a_leader"),
        ("members", "0002_row_level_security"),
    ]
    operations = [
        migrations.RunSQL("".join(FUNCTIONS)),
        migrations.RunSQL("".join(POLICIES)),
        migrations.RunSQL(STAYS),
        migrations.RunSQL("".join(stays(table, *names) for table, names in IMMOVABLE.items())),
        migrations.RunSQL("".join(known_by_group(table) for table in PARENTS)),
        migrations.RunSQL("".join(same_group(*given) for given in SAME_GROUP)),
        migrations.RunSQL(REASON_GOES_TOO),
    ]
