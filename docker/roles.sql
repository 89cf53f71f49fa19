do $$
begin
  if not exists (select from pg_roles where rolname = 'balint_owner') then
    create role balint_owner login nosuperuser;
  end if;
  if not exists (select from pg_roles where rolname = 'balint_app') then
    create role balint_app login nosuperuser noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'balint_worker') then
    create role balint_worker login nosuperuser noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'balint_backup') then
    create role balint_backup login nosuperuser bypassrls;
  end if;
  if not exists (select from pg_roles where rolname = 'balint_roster') then
    create role balint_roster nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'balint_reader') then
    create role balint_reader nologin bypassrls;
  end if;
end
$$;
grant balint_roster to balint_app with inherit false, set true;
grant balint_reader to balint_owner with inherit false, set true;
