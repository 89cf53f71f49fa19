"""Nobody but the person changes an address, a password or a second factor.

Triggers, because the tables are Django's and allauth's, and signing in reads them before anybody
is known. They hold for the logins that serve; the tables' owner (migrations, operators) and the
functions of the reader (erasure) are not asked.

Nobody signed in may do what signing in, a forgotten password and a letter need, and no more: a new
password; the address that waits for its letter becomes the only one; recovery codes are used up.
"""

from django.db import migrations

from members.row_security import as_reader

SERVES = "current_user in ('balint_app', 'balint_roster', 'balint_worker')"

SOMEBODY_ELSE = """
create function public.balint_not_yours() returns void
  language plpgsql set search_path = pg_catalog, pg_temp
as $$ begin
  raise exception 'Nobody but the person changes how they sign in.'
    using errcode = 'insufficient_privilege';
end $$;
grant execute on function public.balint_not_yours() to public;
"""

MEMBER = f"""
create function public.balint_own_member() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  me uuid := public.balint_me();
begin
  if not ({SERVES}) then
    return new;
  end if;
  if tg_op = 'INSERT' then
    if new.is_superuser or not new.is_active or me is not null then
      perform public.balint_not_yours();
    end if;
    return new;
  end if;
  if new.id <> old.id or new.is_superuser <> old.is_superuser then
    perform public.balint_not_yours();
  end if;
  if new.is_active <> old.is_active and me is distinct from old.id then
    perform public.balint_not_yours();
  end if;
  if new.password <> old.password and me is not null and me <> old.id then
    perform public.balint_not_yours();
  end if;
  if new.email <> old.email and (me is not null and me <> old.id or not exists (
    select from public.account_emailaddress a
    where a.user_id = old.id and lower(a.email) = lower(new.email) and a.verified and a."primary"
  )) then
    perform public.balint_not_yours();
  end if;
  return new;
end $$;
create trigger own_account before insert or update on members_member
  for each row execute function public.balint_own_member();
"""

# A letter's link is often opened where nobody is signed in. It makes the waiting address the
# verified first one, and the one before gives way; a first address comes with its account.
ADDRESS = f"""
create function public.balint_own_address() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  me uuid := public.balint_me();
  row_now public.account_emailaddress := case when tg_op = 'DELETE' then old else new end;
begin
  if not ({SERVES}) then
    return row_now;
  end if;
  if tg_op = 'UPDATE' and (new.user_id <> old.user_id or new.id <> old.id) then
    perform public.balint_not_yours();
  end if;
  if me is not null then
    if row_now.user_id <> me then
      perform public.balint_not_yours();
    end if;
  elsif tg_op = 'INSERT' then
    if exists (select from public.account_emailaddress a where a.user_id = new.user_id)
      or not exists (
        select from public.members_member m
        where m.id = new.user_id and lower(m.email) = lower(new.email))
    then
      perform public.balint_not_yours();
    end if;
  elsif tg_op = 'UPDATE' then
    if new.email <> old.email or old.verified and not new.verified then
      perform public.balint_not_yours();
    end if;
  elsif old."primary" or not exists (
    select from public.account_emailaddress a
    where a.user_id = old.user_id and a.id <> old.id and a.verified and a."primary")
  then
    perform public.balint_not_yours();
  end if;
  return row_now;
end $$;
create trigger own_account before insert or update or delete on account_emailaddress
  for each row execute function public.balint_own_address();
"""  # noqa: S608  Nothing of anybody's is in it.

# The second step of signing in happens before anybody is known: it notes that a factor was used,
# and strikes recovery codes off, never back on. No secret ever stands in clear.
FACTOR = f"""
create function public.balint_own_factor() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  me uuid := public.balint_me();
  row_now public.mfa_authenticator := case when tg_op = 'DELETE' then old else new end;
begin
  if not ({SERVES}) then
    return row_now;
  end if;
  if tg_op = 'UPDATE' and (
    new.user_id <> old.user_id or new.id <> old.id or new.type <> old.type
    or new.created_at <> old.created_at
  ) then
    perform public.balint_not_yours();
  end if;
  if me is not null then
    if row_now.user_id <> me then
      perform public.balint_not_yours();
    end if;
  elsif tg_op <> 'UPDATE' then
    perform public.balint_not_yours();
  elsif new.data <> old.data and (
    old.type <> 'recovery_codes'
    or new.data - 'used_mask' <> old.data - 'used_mask'
    or (new.data ->> 'used_mask')::bigint & (old.data ->> 'used_mask')::bigint
      is distinct from (old.data ->> 'used_mask')::bigint
  ) then
    perform public.balint_not_yours();
  end if;
  return row_now;
end $$;
create trigger own_account before insert or update or delete on mfa_authenticator
  for each row execute function public.balint_own_factor();
"""

# Functions made by an earlier version looked among the caller's temporary tables first.
OF_ONE_OWNER = """
do $$
declare
  made_before regprocedure;
begin
  for made_before in
    select p.oid from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname like 'balint\\_%'
      and pg_get_userbyid(p.proowner) = current_user and 'search_path=pg_catalog' = any(p.proconfig)
  loop
    execute format('alter function %s set search_path = pg_catalog, pg_temp', made_before);
  end loop;
end $$;
"""
TEMPORARY_LAST = OF_ONE_OWNER + as_reader(OF_ONE_OWNER)

BACK = """
drop trigger own_account on mfa_authenticator;
drop trigger own_account on account_emailaddress;
drop trigger own_account on members_member;
drop function public.balint_own_factor();
drop function public.balint_own_address();
drop function public.balint_own_member();
drop function public.balint_not_yours();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0005_shared_limits"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]
    operations = [
        migrations.RunSQL(SOMEBODY_ELSE + MEMBER + ADDRESS + FACTOR, BACK),
        migrations.RunSQL(TEMPORARY_LAST, migrations.RunSQL.noop),
    ]
