"""A group's end: one leader asks, somebody else confirms, and until its day it may be taken back.

What the application checks stands here once more; and with the confirmation, in the same
statement, everyone's membership gets its end, as it gets it back when the end is taken back.
"""

# ruff: noqa: S608 - statements put together from our own text, never from anybody's input

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from members.row_security import as_reader, reader_function, stays

RUNS = "m.starts_at <= now() and (m.ended_at is null or m.ended_at > now())"
ME = "public.balint_me()"
AWAY = """exists (
        select from public.groups_leave l
        where l.member_id = m.member_id and l.group_id = m.group_id
          and l.starts_at <= now() and (l.ended_at is null or l.ended_at > now()))"""
# Who leads with somebody at present: leaders who are away do not count, and that somebody is away
# is told to nobody but the group's leaders and the admins of its programme, who know it already.
LEADS_ALONE = reader_function(
    "balint_leads_alone(of_group uuid, leader uuid)",
    "boolean",
    f"""
  select exists (
    select from public.groups_membership m
    where m.group_id = of_group and m.member_id = leader and m.role = 'leader' and {RUNS}
      and not {AWAY}
  ) and not exists (
    select from public.groups_membership m
    where m.group_id = of_group and m.member_id <> leader and m.role = 'leader' and {RUNS}
      and not {AWAY}
  ) and (exists (
    select from public.groups_membership m
    where m.group_id = of_group and m.member_id = {ME} and m.role = 'leader' and {RUNS}
  ) or exists (
    select from public.groups_group g
    join public.groups_programmeadmin a on a.programme_id = g.programme_id
    where g.id = of_group and a.member_id = {ME}
      and a.starts_at <= now() and (a.ended_at is null or a.ended_at > now())))
""",
    callers="balint_app, balint_roster",
)

# Runs as whoever asks: what it looks at is the frame, which both roles of the web read.
RULES = f"""
create function public.balint_group_end_rules() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  me uuid := {ME};
  leads boolean;
begin
  if current_user not in ('balint_app', 'balint_roster', 'balint_worker') then
    return new;
  end if;
  leads := exists (
    select from public.groups_membership m
    where m.group_id = new.group_id and m.member_id = me and m.role = 'leader' and {RUNS});
  if tg_op = 'INSERT' then
    if leads and new.asked_by_id = me and new.ends_at > now()
      and new.confirmed_at is null and new.withdrawn_at is null and new.forgotten_at is null
    then
      return new;
    end if;
  elsif new.forgotten_at is null and old.forgotten_at is null and old.withdrawn_at is null
    and old.ends_at > now()
  then
    if new.withdrawn_at is not null then
      if leads and new.confirmed_at is not distinct from old.confirmed_at
        and new.confirmed_by_id is not distinct from old.confirmed_by_id
      then
        return new;
      end if;
    elsif old.confirmed_at is null and new.confirmed_at is not null and new.confirmed_by_id = me
      and new.asked_by_id <> me and (
        leads
        or (public.balint_leads_alone(new.group_id, new.asked_by_id)
          and exists (
            select from public.groups_group g
            join public.groups_programmeadmin a on a.programme_id = g.programme_id
            where g.id = new.group_id and a.member_id = me
              and a.starts_at <= now() and (a.ended_at is null or a.ended_at > now()))
          and not exists (
            select from public.groups_membership m
            where m.group_id = new.group_id and m.member_id = me and {RUNS})))
    then
      return new;
    end if;
  end if;
  raise exception 'row-level security: a group''s end is asked by one and confirmed by another'
    using errcode = 'insufficient_privilege';
end $$;
create trigger group_end_rules before insert or update on groups_groupend
  for each row execute function public.balint_group_end_rules();
"""

# Ends that come earlier stay. Taken back, a membership has again the end it was given by itself.
CARRIES_OUT = f"""
create function public.balint_group_end_carries() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if new.confirmed_at is not null and old.confirmed_at is null then
    update public.groups_membership m set ended_at = new.ends_at
    where m.group_id = new.group_id and m.starts_at <= new.ends_at
      and (m.ended_at is null or m.ended_at > new.ends_at);
  elsif new.withdrawn_at is not null and old.withdrawn_at is null
    and new.confirmed_at is not null
  then
    update public.groups_membership m
    set ended_at = (
      select max(e.ends_at) from public.groups_ending e
      where e.membership_id = m.id and e.confirmed_at is not null and e.withdrawn_at is null)
    where m.group_id = new.group_id and m.ended_at = new.ends_at;
  end if;
  return null;
end $$;
revoke all on function public.balint_group_end_carries() from public;
alter function public.balint_group_end_carries() owner to balint_reader;
{as_reader("grant execute on function public.balint_group_end_carries() to balint_owner;")}
create trigger group_end_carries after update on groups_groupend
  for each row execute function public.balint_group_end_carries();
"""
BACK = """
drop trigger group_end_carries on groups_groupend;
drop trigger group_end_rules on groups_groupend;
drop function public.balint_group_end_carries();
drop function public.balint_group_end_rules();
"""
SEEN_AS = ("group_id", "asked_by_id", "asked_at", "ends_at")


def moment(**options: bool) -> models.DateTimeField:
    return models.DateTimeField(**options)


def person() -> models.ForeignKey:
    return models.ForeignKey(
        null=True,
        on_delete=django.db.models.deletion.SET_NULL,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("groups", "0005_frame_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="GroupEnd",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("asked_at", moment()),
                ("ends_at", moment()),
                ("confirmed_at", moment(null=True, blank=True)),
                ("withdrawn_at", moment(null=True, blank=True)),
                ("forgotten_at", moment(null=True, blank=True)),
                ("asked_by", person()),
                ("confirmed_by", person()),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ends",
                        to="groups.group",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(withdrawn_at=None, forgotten_at=None),
                        fields=["group"],
                        name="one_open_end_per_group",
                    ),
                    models.CheckConstraint(
                        condition=Q(confirmed_by=None)
                        | Q(asked_by=None)
                        | ~Q(confirmed_by=F("asked_by")),
                        name="nobody_confirms_their_own_end_of_a_group",
                    ),
                    models.CheckConstraint(
                        condition=Q(forgotten_at=None)
                        | Q(confirmed_at__isnull=False, withdrawn_at=None),
                        name="only_a_confirmed_end_forgets",
                    ),
                ],
            },
        ),
        migrations.RunSQL(stays("groups_groupend", *SEEN_AS)),
        migrations.RunSQL(
            LEADS_ALONE, as_reader("drop function public.balint_leads_alone(uuid, uuid);")
        ),
        migrations.RunSQL(RULES + CARRIES_OUT, BACK),
    ]
