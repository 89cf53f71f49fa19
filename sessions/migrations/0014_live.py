"""What screens of a room hear of: each change moves its version on, and says so as it commits.

Triggers do it, so that no page, command or task can forget to. What a transaction moved comes back
to whoever sent it as a notice of our own class, which `balint.live.publishing` hears; it is sent on
once the transaction is committed. A transaction moves a version once: nobody sees it in between.
"""

import uuid

from django.db import migrations, models

from members.row_security import as_reader, reader_function

T = "balint_sessions_"
MOVED = "public.balint_room_moved()"
# Nobody waits for another screen's sign of life; nor for a title, which no screen of a room shows.
STILL = "'{seen_at,updated_at,put_down_at,sequence,title_sealed,title_version}'::text[]"
ROOM_MOVED = f"""
create function {MOVED} returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  becomes jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  it jsonb := coalesce(becomes, was);
  told text := coalesce(current_setting('balint.rooms_moved', true), '');
  room uuid;
  number bigint;
begin
  if tg_op = 'UPDATE' and was - {STILL} = becomes - {STILL}
    and coalesce((becomes ->> 'seen_at')::timestamptz
      < (was ->> 'seen_at')::timestamptz + interval '60 seconds', true)
  then
    return null;
  end if;
  room := case
    when tg_table_name = '{T}session' then it ->> 'id'
    when tg_table_name = '{T}casepresence' then (
      select c.session_id::text from public.{T}casepresentation c
      where c.id = (it ->> 'case_id')::uuid)
    else it ->> 'session_id' end;
  if room is null or position(room::text in told) > 0 then
    return null;
  end if;
  insert into public.{T}roomversion as held (id, version, moved_at)
  select s.id, 1, clock_timestamp()
  from public.{T}session s
  where s.id = room and s.runs_until > now() - interval '10 minutes'
    and (least(s.starts_at, s.opened_at) < now() + interval '1 hour'
      or exists (select from public.{T}roomversion v where v.id = s.id))
  on conflict (id) do update set version = held.version + 1, moved_at = excluded.moved_at
  returning held.version into number;
  if number is not null then
    perform set_config('balint.rooms_moved', told || ' ' || room, true);
    raise info using errcode = 'BL001', message = 'room ' || room || ' ' || number;
  end if;
  return null;
end $$;
revoke all on function {MOVED} from public;
alter function {MOVED} owner to balint_reader;
{as_reader(f"grant execute on function {MOVED} to balint_owner;")}
"""


def moves_the_room(table: str) -> str:
    return f"""
create trigger moves_the_room after insert or update or delete on {T}{table}
  for each row execute function {MOVED};
"""


TABLES = (
    *("session", "roompresence", "casepresentation", "casepresence", "steppedout"),
    *("eveninglead", "answer"),
)
# A sign of life is written for thousands at once, and comes to nothing before a function is called.
SIGNS = f"""
drop trigger moves_the_room on {T}roompresence;
create trigger moves_the_room after insert or delete on {T}roompresence
  for each row execute function {MOVED};
create trigger moves_the_room_again after update on {T}roompresence
  for each row when (
    to_jsonb(old) - 'seen_at' is distinct from to_jsonb(new) - 'seen_at'
    or new.seen_at >= old.seen_at + interval '60 seconds')
  execute function {MOVED};
"""
# Removing a session removes its version; there is nobody to tell.
TRIGGERS = "".join(moves_the_room(table) for table in TABLES).replace(
    f"or delete on {T}session", f"on {T}session"
)
# Whose sign-in is over hears nothing more: signed out here or elsewhere, or everybody's by a new
# password. A hash is enough to know the stream by.
SIGN_INS = """
create function public.balint_sign_in_over() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise info using errcode = 'BL001',
    message = 'signin ' || encode(sha256(convert_to(old.session_key, 'UTF8')), 'hex');
  return null;
end $$;
create trigger ends_streams after delete on django_session
  for each row when (old.expire_date > now()) execute function public.balint_sign_in_over();
create function public.balint_person_over() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise info using errcode = 'BL001', message = 'person ' || new.id;
  return null;
end $$;
create trigger ends_streams after update of password, is_active on members_member
  for each row
  when (old.password is distinct from new.password or old.is_active is distinct from new.is_active)
  execute function public.balint_person_over();
"""
NO_SIGN_INS = """
drop trigger ends_streams on members_member;
drop function public.balint_person_over();
drop trigger ends_streams on django_session;
drop function public.balint_sign_in_over();
"""
# The circle's from its beginning; before that whoever is inside, from 15 minutes before the start.
AS_OF = "least(s.starts_at, s.opened_at, now())"
MAY = f"""
    s.phase <> 'cancelled' and s.settled_at is not null and s.runs_until > now()
    and least(s.starts_at, s.opened_at)
      <= now() + case s.phase when 'planned' then interval '15 minutes' else '0' end
    and m.starts_at <= {AS_OF} and (m.ended_at is null or m.ended_at > {AS_OF})
    and exists (
      select from public.groups_acceptance c
      join public.groups_agreement a on a.id = c.agreement_id
      where c.member_id = m.member_id and a.group_id = m.group_id and c.accepted_at <= {AS_OF}
        and a.version = (
          select max(v.version) from public.groups_agreement v
          where v.group_id = m.group_id and v.in_force_at <= {AS_OF}))
    and not exists (
      select from public.groups_leave l
      where l.member_id = m.member_id and l.group_id = m.group_id
        and l.starts_at <= {AS_OF} and (l.ended_at is null or l.ended_at > {AS_OF}))
"""
# Asked by each web process every few seconds, once for all its streams. It waits for no lock: what
# somebody else holds at the moment has its turn in five seconds.
# Thousands of rows come in, of whose number the planner knows nothing: each is judged by itself,
# and nothing is joined with them.
LIVE = f"""
  with judged as materialized (
    select a.room, a.person, a.key, a.here, exists (
      select from public.{T}session s
      join public.groups_membership m on m.group_id = s.group_id and m.member_id = a.person
      where s.id = a.room and {MAY}
    ) and exists (
      select from public.members_member p where p.id = a.person and p.is_active
    ) and exists (
      select from public.django_session k where k.session_key = a.key and k.expire_date > now()
    ) as may
    from unnest(rooms, people, keys, here) as a (room, person, key, here)
  ), awake as (
    select r.id from judged j
    join public.{T}roompresence r on r.session_id = j.room and r.member_id = j.person
    where j.may and j.here and r.left_at is null
      and r.seen_at <= now() - interval '12 seconds' and r.seen_at > now() - interval '60 seconds'
    for update of r skip locked
  ), seen as (
    update public.{T}roompresence r set seen_at = now()
    where r.id = any(array(select awake.id from awake)) returning 1
  ), asked as (
    select j.room, coalesce(array_agg(j.key) filter (where not j.may), '{{}}') as gone
    from judged j group by j.room
  ), lapsed as (
    select v.id from asked join public.{T}roomversion v on v.id = asked.room
    where exists (
      select from public.{T}roompresence r
      where r.session_id = v.id and r.left_at is null
        and r.seen_at <= now() - interval '61 seconds'
        and r.seen_at > v.moved_at - interval '61 seconds')
    for update of v skip locked
  ), moved as (
    update public.{T}roomversion v set version = v.version + 1, moved_at = clock_timestamp()
    where v.id = any(array(select lapsed.id from lapsed)) returning v.id, v.version
  )
  select asked.room, coalesce(
    (select moved.version from moved where moved.id = asked.room), v.version, 0), asked.gone
  from asked left join public.{T}roomversion v on v.id = asked.room
"""
FUNCTIONS = {
    "balint_room_version(of_session uuid)": (
        "bigint",
        f"""
  select coalesce((select v.version from public.{T}roomversion v where v.id = of_session), 0)
  where of_session = any(public.balint_rooms_open_to_me())
""",
        "balint_app",
        "",
    ),
    "balint_live(rooms uuid[], people uuid[], keys text[], here boolean[])": (
        "table (room uuid, version bigint, gone text[])",
        LIVE,
        "balint_app",
        "volatile",
    ),
    "balint_forget_room_versions()": (
        "integer",
        f"""
  with gone as (
    delete from public.{T}roomversion v using public.{T}session s
    where s.id = v.id and s.runs_until <= now() - interval '10 minutes' returning 1)
  select count(*)::integer from gone
""",
        "balint_worker",
        "volatile",
    ),
}


class Migration(migrations.Migration):
    dependencies = [
        ("balint_sessions", "0013_stepped_out"),
        ("groups", "0007_record"),
        ("members", "0004_tombstones"),
        ("sessions", "0001_initial"),
    ]
    operations = [
        migrations.CreateModel(
            name="RoomVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("version", models.PositiveBigIntegerField()),
                ("moved_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(
            f"alter table {T}roomversion add constraint {T}roomversion_of_session"
            f" foreign key (id) references {T}session (id) on delete cascade;",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(ROOM_MOVED, f"drop function {MOVED};"),
        migrations.RunSQL(
            TRIGGERS,
            "".join(f"drop trigger moves_the_room on {T}{table};" for table in TABLES),
        ),
        migrations.RunSQL(SIGNS, f"drop trigger moves_the_room_again on {T}roompresence;"),
        migrations.RunSQL(SIGN_INS, NO_SIGN_INS),
        *[
            migrations.RunSQL(
                reader_function(signature, returns, body, callers=callers, kind=kind),
                as_reader(f"drop function public.{signature};"),
            )
            for signature, (returns, body, callers, kind) in FUNCTIONS.items()
        ],
    ]
