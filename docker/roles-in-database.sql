revoke create on schema public from public;
grant usage, create on schema public to balint_owner;
grant usage, create on schema public to balint_reader;
grant usage on schema public to balint_app, balint_worker, balint_roster, balint_backup;
do $$
begin
  execute format('revoke temporary on database %I from public', current_database());
end
$$;
