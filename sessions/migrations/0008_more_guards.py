"""What happens in a group is changed by its leaders, and a new leader inherits no reasons.

Dates are frame, so row security does not hold them; a trigger says who plans and who conducts.
"""

from django.db import migrations

from members.row_security import INSIDE, OWN, policy

T = "balint_sessions_"
BEGAN = "least(old.starts_at, old.opened_at)"
RUNS = f"""(old.settled_at is not null and old.phase <> 'cancelled'
    and old.runs_until > now() and {BEGAN} <= now())"""

# What has begun stays when it was: content opens to whoever led at that instant.
REDATED = f"""(old.settled_at is not null and {BEGAN} <= now() and (
    new.starts_at is distinct from old.starts_at or new.opened_at is distinct from old.opened_at
    or new.settled_at is null or new.runs_until < old.runs_until))"""

# Leaders plan and conduct; one that runs its circle's leaders alone. A presenter who has the own
# case forgotten while it is told moves the room on by one.
SESSION = f"""
create function public.balint_guard_session() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if not public.balint_by_the_web() then
    return case when tg_op = 'DELETE' then old else new end;
  end if;
  if tg_op = 'INSERT' then
    if not public.balint_leads(new.group_id) then
      perform public.balint_refuse('dates are the leaders'' to plan');
    end if;
    return new;
  end if;
  if public.balint_leads(old.group_id) and not {RUNS} then
    if tg_op = 'UPDATE' and {REDATED} then
      perform public.balint_refuse('a meeting that was held stays when it was');
    end if;
    return case when tg_op = 'DELETE' then old else new end;
  end if;
  if tg_op = 'UPDATE' and current_user = 'balint_app' then
    if old.id = any(public.balint_sessions_i_run())
      or (old.id = any(public.balint_sessions_i_am_in()) and new.step = old.step + 1
        and to_jsonb(new) - 'step' = to_jsonb(old) - 'step')
    then
      return new;
    end if;
  end if;
  perform public.balint_refuse('a meeting is its leaders'' to move and to conduct');
  return null;
end $$;
create trigger guard before insert or update or delete on {T}session
  for each row execute function public.balint_guard_session();
"""
SERIES = f"""
create function public.balint_guard_series() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if public.balint_by_the_web() and not public.balint_leads(
    case when tg_op = 'DELETE' then old.group_id else new.group_id end)
  then
    perform public.balint_refuse('a year is the leaders'' to plan');
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger guard before insert or update or delete on {T}series
  for each row execute function public.balint_guard_series();
"""
CONDUCT = "session_id = any((select public.balint_sessions_i_conduct())::uuid[])"
POLICIES = [
    # Of the time of the own lead: who comes to lead later reads no earlier reason.
    policy(f"{T}answer", "select", f"{OWN} or {CONDUCT}"),
    # Who has left forgets the reason by a function, and takes back nothing else.
    policy(f"{T}answer", "delete", f"{OWN} and {INSIDE}"),
]


class Migration(migrations.Migration):
    dependencies = [("balint_sessions", "0007_forgetting"), ("groups", "0005_frame_guards")]
    operations = [
        migrations.RunSQL(SESSION + SERIES),
        migrations.RunSQL("\n".join(POLICIES)),
    ]
