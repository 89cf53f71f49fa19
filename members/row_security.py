"""Row-level security as text for migrations, which keep what they were given.

A table is enabled and forced, its owner (migrations) may do all, and each right of the web login
is one policy that says its row of the table of who may see what. Functions that policies call
belong to `balint_reader`, who bypasses row security, so that no policy reads its own table.
"""


def secure(table: str, **rights: str) -> str:
    """Enable and force row security; `rights`: a condition for each of select, insert, …"""
    lines = [
        f"alter table {table} enable row level security;",
        f"alter table {table} force row level security;",
        f"create policy owner on {table} to balint_owner using (true) with check (true);",
    ]
    for right, condition in rights.items():
        lines.append(_policy(table, right, condition))
    return "\n".join(lines)


def _policy(table: str, right: str, condition: str, name: str = "app") -> str:
    head = f"create policy {name}_{right} on {table} for {right} to balint_app"
    using, check = f"using ({condition})", f"with check ({condition})"
    clauses = {"select": using, "delete": using, "insert": check, "update": f"{using} {check}"}
    return f"{head} {clauses[right]};"


def open_table(table: str) -> str:
    """The way back: no policies, no row security."""
    policies = ("owner", "app_select", "app_insert", "app_update", "app_delete")
    drops = [f"drop policy if exists {name} on {table};" for name in policies]
    return "\n".join([*drops, f"alter table {table} disable row level security;"])


def reader_function(
    signature: str, returns: str, body: str, *, callers: str, kind: str = ""
) -> str:
    """A function of `balint_reader`; `callers` are the roles that may execute it.

    `kind` is empty for a stable SQL function, or `volatile` for one that writes.
    """
    volatility = kind or "stable"
    return f"""
create function public.{signature} returns {returns}
  language sql {volatility} security definer set search_path = pg_catalog, pg_temp
as $body${body}$body$;
alter function public.{signature} owner to balint_reader;
{executed_by(signature, callers)}
"""


def executed_by(signature: str, callers: str) -> str:
    """Nobody but these may execute it; said as its owner, or a right of balint_owner is lost."""
    return as_reader(
        f"revoke all on function public.{signature} from public;\n"
        f"grant execute on function public.{signature} to {callers};"
    )


def as_reader(statements: str) -> str:
    """What only the functions' owner may replace."""
    return f"set local role balint_reader;\n{statements}\nreset role;"


def replaced_function(signature: str, returns: str, body: str, *, kind: str = "") -> str:
    """A function of `balint_reader` with another body; who may execute it stays as it was."""
    return as_reader(f"""
create or replace function public.{signature} returns {returns}
  language sql {kind or "stable"} security definer set search_path = pg_catalog, pg_temp
as $body${body}$body$;
""")


def policy(table: str, right: str, condition: str, *, name: str = "app") -> str:
    """One right in place of the policy of that name, if there is one."""
    gone = f"drop policy if exists {name}_{right} on {table};"
    return f"{gone}\n{_policy(table, right, condition, name)}"


def stays(table: str, *columns: str) -> str:
    """Whoever may change a row may not move it: these columns are what they were when it came."""
    listed = ", ".join(f"'{column}'" for column in ("id", *columns))
    return f"""
create trigger stays_where_it_is before update on {table}
  for each row execute function public.balint_stays({listed});
"""


def known_by_group(table: str) -> str:
    """What `same_group` refers to: the row together with its group."""
    return f"alter table {table} add constraint {table}_of_group unique (id, group_id);\n"


def same_group(name: str, table: str, column: str, parent: str) -> str:
    """A constraint: the row's group is that of the row it hangs on, so neither can be forged."""
    return f"""
alter table {table} add constraint {name}
  foreign key ({column}, group_id) references {parent} (id, group_id);
"""


# The groups' ids, evaluated once a query.
LED = "group_id = any((select public.balint_groups_i_lead())::uuid[])"
INSIDE = "group_id = any((select public.balint_groups_i_am_in())::uuid[])"
OWN = "member_id = (select public.balint_me())"
