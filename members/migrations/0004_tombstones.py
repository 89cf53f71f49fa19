"""What was erased stays erased after a restore.

A trigger beside each deletion misses nothing: pages, functions, raw SQL and cascades alike.
"""

# ruff: noqa: S608 - statements put together from our own text, never from anybody's input

import uuid

from django.db import migrations, models
from django.db.models import Q

from members.row_security import as_reader, reader_function

KINDS = [("case", "Case"), ("person", "Person"), ("group", "Group")]
KINDS += [("reflection", "Reflection"), ("note", "Note"), ("untold", "Untold")]

# A case put down by mistake never was: a restore takes it away and counts nothing.
TOMBSTONE = f"""
create function public.balint_tombstone() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.members_tombstone (id, kind, subject, made_at)
  values (gen_random_uuid(),
    case when tg_argv[0] = 'case' and old.id::text = any(
      string_to_array(current_setting('balint.never_was', true), ','))
    then 'untold' else tg_argv[0] end, old.id, now());
  return null;
end $$;
revoke all on function public.balint_tombstone() from public;
alter function public.balint_tombstone() owner to balint_reader;
{as_reader("grant execute on function public.balint_tombstone() to balint_owner;")}
create trigger leaves_a_tombstone after delete on members_member
  for each row execute function public.balint_tombstone('person');
"""
FUNCTIONS = {
    "balint_tombstones_to_copy()": reader_function(
        "balint_tombstones_to_copy()",
        "table (id uuid, kind text, subject uuid, made_at timestamptz)",
        """
  select t.id, t.kind, t.subject, t.made_at
  from public.members_tombstone t where t.copied_at is null
""",
        callers="balint_worker",
    ),
    "balint_tombstones_copied(uuid[])": reader_function(
        "balint_tombstones_copied(these uuid[])",
        "integer",
        """
  with copied as (
    update public.members_tombstone t set copied_at = now()
    where t.id = any(these) and t.copied_at is null returning 1)
  select count(*)::integer from copied
""",
        callers="balint_worker",
        kind="volatile",
    ),
    "balint_prune_tombstones()": reader_function(
        "balint_prune_tombstones()",
        "integer",
        """
  with old as (
    delete from public.members_tombstone t
    where t.copied_at is not null and t.made_at < now() - interval '40 days' returning 1)
  select count(*)::integer from old
""",
        callers="balint_worker",
        kind="volatile",
    ),
}


class Migration(migrations.Migration):
    dependencies = [("members", "0003_audit")]
    operations = [
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(choices=KINDS, max_length=12)),
                ("subject", models.UUIDField()),
                ("made_at", models.DateTimeField()),
                ("copied_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=Q(copied_at=None), fields=["made_at"], name="tombstones_to_copy"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(kind__in=[kind for kind, _ in KINDS]),
                        name="tombstone_kind_is_known",
                    )
                ],
            },
        ),
        migrations.RunSQL(
            TOMBSTONE,
            "drop trigger leaves_a_tombstone on members_member;"
            " drop function public.balint_tombstone();",
        ),
        *[
            migrations.RunSQL(function, f"drop function public.{name};")
            for name, function in FUNCTIONS.items()
        ],
    ]
