"""The record of who read or changed which kind of thing: only ever appended, and not to be read.

No login of the site has a right on its tables. Functions of the reader append, give the heads to
be kept elsewhere, and forget what is older than two years; a trigger refuses everything else.
"""

# ruff: noqa: S608 - statements put together from our own text, never from anybody's input

import uuid

import django.db.models.deletion
from django.db import migrations, models

from members.row_security import as_reader, open_table, reader_function, secure

CALLERS = "balint_app, balint_roster, balint_worker"
KEPT = "interval '2 years'"
# The scope of the data key that the record's keys are derived from (members/audit/mac.py).
SCOPE = "a0d17000-0000-4000-8000-000000000001"

# Wrapped by the key file as every data key is, so nothing is surrendered by giving it.
KEY = reader_function(
    "balint_audit_key()",
    "table (id uuid, epoch integer, wrapped bytea)",
    f"""
  select k.id, k.epoch, k.wrapped from public.members_datakey k
  where k.key_class = 'site' and k.scope = '{SCOPE}'
""",
    callers=CALLERS,
)
MAKE_KEY = reader_function(
    "balint_make_audit_key(of_id uuid, of_epoch integer, of_wrapped bytea)",
    "void",
    f"""
  insert into public.members_datakey (id, key_class, scope, epoch, wrapped, made_at)
  values (of_id, 'site', '{SCOPE}', of_epoch, of_wrapped, now())
  on conflict do nothing
""",
    callers=CALLERS,
    kind="volatile",
)

# Nothing is locked while every reading to be noted stands already. The lock is a statement of its
# own, so that what another connection wrote meanwhile is seen by the next.
HEAD = f"""
create function public.balint_audit_head(of_chain uuid, onces bytea[], others boolean)
  returns table (length bigint, mac bytea, standing bytea[])
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not others and not exists (
    select from unnest(onces) o where not exists (
      select from public.members_auditevent e where e.chain_id = of_chain and e.once = o))
  then
    return;
  end if;
  insert into public.members_auditchain
    (id, length, mac, kept_from, mac_before, started_at)
  values (of_chain, 0, '', 1, '', now()) on conflict do nothing;
  perform from public.members_auditchain c where c.id = of_chain for update;
  return query
    select c.length, c.mac, array(
      select e.once from public.members_auditevent e
      where e.chain_id = of_chain and e.once = any(onces))
    from public.members_auditchain c where c.id = of_chain;
end $$;
revoke all on function public.balint_audit_head(uuid, bytea[], boolean) from public;
grant execute on function public.balint_audit_head(uuid, bytea[], boolean) to {CALLERS};
alter function public.balint_audit_head(uuid, bytea[], boolean) owner to balint_reader;
"""

# Only where the chain ends. A digest made without the key file is found when the chain is verified.
OF_APPEND = """public.balint_audit_append(
  uuid, bigint, bytea, timestamptz[], uuid[], text[], text[], boolean[],
  bytea[], bytea[], bytea[])"""
APPEND = f"""
create function public.balint_audit_append(
  of_chain uuid, first bigint, after bytea, ats timestamptz[], actors uuid[], verbs text[],
  things text[], frames boolean[], onces bytea[], digests bytea[], macs bytea[])
  returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare added integer := cardinality(macs);
begin
  update public.members_auditchain c
  set length = c.length + added, mac = macs[added]
  where c.id = of_chain and c.length + 1 = first and c.mac = after and added > 0;
  if not found then
    raise exception 'the record goes on only where it ends'
      using errcode = 'insufficient_privilege';
  end if;
  insert into public.members_auditevent
    (id, chain_id, number, at, actor, verb, thing, frame, once, digest, mac)
  select gen_random_uuid(), of_chain, first + e.place - 1,
    e.at, e.actor, e.verb, e.thing, e.frame, e.once, e.digest, e.mac
  from unnest(ats, actors, verbs, things, frames, onces, digests, macs) with ordinality
    as e (at, actor, verb, thing, frame, once, digest, mac, place);
end $$;
revoke all on function {OF_APPEND} from public;
grant execute on function {OF_APPEND} to {CALLERS};
alter function {OF_APPEND} owner to balint_reader;
"""

# `then_mac` is the digest that stands now where a head was kept before: does it still?
HEADS = reader_function(
    "balint_audit_heads(chains uuid[], numbers bigint[])",
    "table (chain uuid, length bigint, mac bytea, kept_from bigint, then_mac bytea)",
    """
  select c.id, c.length, c.mac, c.kept_from, e.mac
  from public.members_auditchain c
  left join unnest(chains, numbers) as kept (chain, number) on kept.chain = c.id
  left join public.members_auditevent e on e.chain_id = c.id and e.number = kept.number
  where c.length > 0
""",
    callers="balint_worker",
)

# Of what is overdue the newest stays, blank: its time, which nobody can alter unseen, proves that
# everything before it was overdue too, and the rest is verified from it on.
FORGET = f"""
create function public.balint_forget_events_due() returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  edge record;
  touched integer;
  forgotten integer := 0;
begin
  for edge in
    select due.chain_id, due.number from (
      select e.chain_id, coalesce(
        min(e.number) filter (where e.at >= now() - {KEPT}) - 1, max(e.number)) as number
      from public.members_auditevent e
      where e.chain_id in (
        select old.chain_id from public.members_auditevent old
        where old.at < now() - {KEPT} and old.verb <> '')
      group by e.chain_id) due
    order by due.chain_id
  loop
    perform from public.members_auditchain c where c.id = edge.chain_id for update;
    update public.members_auditchain c set kept_from = edge.number, mac_before = before.mac
    from public.members_auditevent before
    where c.id = edge.chain_id and before.chain_id = c.id and before.number = edge.number - 1;
    delete from public.members_auditevent e
    where e.chain_id = edge.chain_id and e.number < edge.number and e.verb = '';
    delete from public.members_auditevent e
    where e.chain_id = edge.chain_id and e.number < edge.number;
    get diagnostics touched = row_count;
    forgotten := forgotten + touched;
    update public.members_auditevent e
    set actor = null, verb = '', thing = '', frame = false, once = null
    where e.chain_id = edge.chain_id and e.number = edge.number and e.verb <> '';
    get diagnostics touched = row_count;
    forgotten := forgotten + touched;
  end loop;
  return forgotten;
end $$;
revoke all on function public.balint_forget_events_due() from public;
grant execute on function public.balint_forget_events_due() to balint_worker;
alter function public.balint_forget_events_due() owner to balint_reader;
"""

# Who made a function and gave it away has no right to it any longer.
FOR_THE_OWNER = as_reader(
    "grant execute on function public.balint_audit_key(),"
    " public.balint_make_audit_key(uuid, integer, bytea),"
    " public.balint_audit_head(uuid, bytea[], boolean),"
    f" {OF_APPEND},"
    " public.balint_audit_heads(uuid[], bigint[]) to balint_owner;"
)

GUARDS = f"""
create function public.balint_record_stays() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user = 'balint_reader' and tg_op <> 'TRUNCATE' then
    if tg_table_name = 'members_auditchain' then
      if tg_op = 'UPDATE' and new.id = old.id and new.started_at = old.started_at
          and new.length >= old.length then
        return new;
      end if;
    elsif old.at < now() - {KEPT} then
      if tg_op = 'DELETE' then
        return old;
      elsif (new.id, new.chain_id, new.number, new.at, new.digest, new.mac)
          = (old.id, old.chain_id, old.number, old.at, old.digest, old.mac) then
        return new;
      end if;
    end if;
  end if;
  raise exception 'the record is only ever appended' using errcode = 'insufficient_privilege';
end $$;
create trigger record_stays before update or delete on members_auditchain
  for each row execute function public.balint_record_stays();
create trigger record_is_not_emptied before truncate on members_auditchain
  for each statement execute function public.balint_record_stays();
create trigger record_stays before update or delete on members_auditevent
  for each row execute function public.balint_record_stays();
create trigger record_is_not_emptied before truncate on members_auditevent
  for each statement execute function public.balint_record_stays();
"""
NO_GUARDS = """
drop trigger record_is_not_emptied on members_auditevent;
drop trigger record_stays on members_auditevent;
drop trigger record_is_not_emptied on members_auditchain;
drop trigger record_stays on members_auditchain;
drop function public.balint_record_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0002_row_level_security")]
    operations = [
        migrations.CreateModel(
            name="AuditChain",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("length", models.BigIntegerField(default=0)),
                ("mac", models.BinaryField(default=bytes)),
                ("kept_from", models.BigIntegerField(default=1)),
                ("mac_before", models.BinaryField(default=bytes)),
                ("started_at", models.DateTimeField()),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("actor", models.UUIDField(null=True)),
                ("verb", models.CharField(max_length=12)),
                ("thing", models.CharField(max_length=16)),
                ("frame", models.BooleanField()),
                ("once", models.BinaryField(null=True)),
                ("digest", models.BinaryField()),
                ("mac", models.BinaryField()),
                (
                    "chain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="members.auditchain",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["at"], name="events_to_forget")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("chain", "number"), name="one_event_per_number"
                    ),
                    models.UniqueConstraint(fields=("chain", "once"), name="one_reading_per_day"),
                ],
            },
        ),
        *[
            migrations.RunSQL(secure(table), open_table(table))
            for table in ("members_auditchain", "members_auditevent")
        ],
        migrations.RunSQL(KEY, as_reader("drop function public.balint_audit_key();")),
        migrations.RunSQL(
            MAKE_KEY,
            as_reader("drop function public.balint_make_audit_key(uuid, integer, bytea);"),
        ),
        migrations.RunSQL(
            HEAD, as_reader("drop function public.balint_audit_head(uuid, bytea[], boolean);")
        ),
        migrations.RunSQL(APPEND, as_reader(f"drop function {OF_APPEND};")),
        migrations.RunSQL(
            HEADS, as_reader("drop function public.balint_audit_heads(uuid[], bigint[]);")
        ),
        migrations.RunSQL(FORGET, as_reader("drop function public.balint_forget_events_due();")),
        migrations.RunSQL(FOR_THE_OWNER, migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
