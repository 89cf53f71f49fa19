"""Who may open the record of a group: two people, one of whom leads it, for a day.

The functions decide who asks, who confirms and who reads what; nobody writes the table by hand.
What happens inside a group is read only by those two of them who lead it while it is open; events
of the frame by the admins of its programme as well, always.
"""

# ruff: noqa: S608 - statements put together from our own text, never from anybody's input

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from members.row_security import as_reader, reader_function

ME = "public.balint_me()"
RUNS = "{0}.starts_at <= now() and ({0}.ended_at is null or {0}.ended_at > now())"
M, A = RUNS.format("m"), RUNS.format("a")

HAT = reader_function(
    "balint_record_hat(of_group uuid)",
    "text",
    f"""
  select case
    when of_group = any(public.balint_groups_i_lead()) then 'leader'
    when exists (
      select from public.groups_group g
      join public.groups_programmeadmin a on a.programme_id = g.programme_id
      where g.id = of_group and a.member_id = {ME} and {A})
    and not exists (
      select from public.groups_membership m
      where m.group_id = of_group and m.member_id = {ME} and {M}) then 'admin'
  end
""",
    callers="balint_app, balint_roster",
)


def writing(signature: str, returns: str, declare: str, body: str) -> str:
    name, _, arguments = signature.partition("(")
    kind = arguments.rstrip(")").split()[-1]
    return f"""
create function public.{signature} returns {returns}
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare {declare}
begin{body}end $$;
revoke all on function public.{name}({kind}) from public;
grant execute on function public.{name}({kind}) to balint_app, balint_roster;
alter function public.{name}({kind}) owner to balint_reader;
"""


REFUSED = """
    raise exception 'row-level security: a record is opened by two people, one of whom leads'
      using errcode = 'insufficient_privilege';
"""
ASK = writing(
    "balint_ask_for_record(of_group uuid)",
    "uuid",
    "opening uuid := gen_random_uuid();",
    f"""
  if public.balint_record_hat(of_group) is null or exists (
    select from public.groups_recordopening o
    where o.group_id = of_group and o.withdrawn_at is null
      and (o.confirmed_at is null or o.until > now()))
  then {REFUSED}
  end if;
  insert into public.groups_recordopening (id, group_id, asked_by, asked_at)
  values (opening, of_group, {ME}, now());
  return opening;
""",
)
CONFIRM = writing(
    "balint_confirm_record(opening uuid)",
    "timestamptz",
    "asking public.groups_recordopening; hat text;",
    f"""
  select o.* into asking from public.groups_recordopening o where o.id = opening for update;
  hat := public.balint_record_hat(asking.group_id);
  if hat is null or asking.asked_by = {ME} or asking.confirmed_at is not null
    or asking.withdrawn_at is not null or (hat <> 'leader' and not exists (
      select from public.groups_membership m
      where m.group_id = asking.group_id and m.member_id = asking.asked_by
        and m.role = 'leader' and {M}))
  then {REFUSED}
  end if;
  update public.groups_recordopening o
  set confirmed_by = {ME}, confirmed_at = now(), until = now() + interval '24 hours'
  where o.id = opening;
  return now() + interval '24 hours';
""",
)
CLOSE = writing(
    "balint_close_record(opening uuid)",
    "void",
    "asking public.groups_recordopening;",
    f"""
  select o.* into asking from public.groups_recordopening o where o.id = opening for update;
  if public.balint_record_hat(asking.group_id) is null or asking.withdrawn_at is not null then
    {REFUSED}
  end if;
  update public.groups_recordopening o set withdrawn_at = now() where o.id = opening;
""",
)
# The office reads places among events of the frame: places in the whole chain would tell it how
# much happens inside, and when.
READ = reader_function(
    "balint_record(of_group uuid, before bigint, most integer)",
    'table (number bigint, "at" timestamptz, actor uuid, verb text, thing text, frame boolean)',
    f"""
  with hat as (select public.balint_record_hat(of_group) as hat),
  reader as (
    select hat = 'admin' as office, hat = 'leader' and exists (
      select from public.groups_recordopening o
      where o.group_id = of_group and o.confirmed_at <= now() and o.until > now()
        and o.withdrawn_at is null and {ME} in (o.asked_by, o.confirmed_by)) as opened
    from hat),
  readable as (
    select case when r.opened then e.number else row_number() over (order by e.number) end
      as place, e.*
    from public.members_auditevent e, reader r
    where e.chain_id = of_group and e.verb <> '' and (r.opened or (r.office and e.frame)))
  select e.place, e.at, e.actor, e.verb, e.thing, e.frame
  from readable e
  where before is null or e.place < before
  order by e.place desc limit least(most, 200)
""",
    callers="balint_app, balint_roster",
)

FORGET = reader_function(
    "balint_forget_openings_due()",
    "integer",
    """
  with old as (
    delete from public.groups_recordopening
    where asked_at < now() - interval '2 years' returning 1)
  select count(*)::integer from old
""",
    callers="balint_worker",
    kind="volatile",
)


class Migration(migrations.Migration):
    dependencies = [("groups", "0006_group_end")]
    operations = [
        migrations.CreateModel(
            name="RecordOpening",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("asked_by", models.UUIDField()),
                ("asked_at", models.DateTimeField()),
                ("confirmed_by", models.UUIDField(blank=True, null=True)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("until", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="openings",
                        to="groups.group",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("asked_by")),
                        name="nobody_opens_a_record_alone",
                    ),
                    models.CheckConstraint(
                        condition=Q(confirmed_by=None, confirmed_at=None, until=None)
                        | Q(
                            confirmed_by__isnull=False,
                            confirmed_at__isnull=False,
                            until__isnull=False,
                        ),
                        name="opened_record_has_an_end",
                    ),
                    models.UniqueConstraint(
                        fields=["group"],
                        condition=Q(confirmed_at=None, withdrawn_at=None),
                        name="one_asking_for_a_record",
                    ),
                ],
            },
        ),
        migrations.RunSQL(HAT, as_reader("drop function public.balint_record_hat(uuid);")),
        migrations.RunSQL(ASK, as_reader("drop function public.balint_ask_for_record(uuid);")),
        migrations.RunSQL(CONFIRM, as_reader("drop function public.balint_confirm_record(uuid);")),
        migrations.RunSQL(CLOSE, as_reader("drop function public.balint_close_record(uuid);")),
        migrations.RunSQL(
            READ, as_reader("drop function public.balint_record(uuid, bigint, integer);")
        ),
        migrations.RunSQL(
            FORGET, as_reader("drop function public.balint_forget_openings_due();")
        ),
    ]
