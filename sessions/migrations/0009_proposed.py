"""Dates are proposed before they are settled, and who has looked at them is told to the leaders."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from members.row_security import (
    INSIDE,
    LED,
    OWN,
    as_reader,
    open_table,
    reader_function,
    same_group,
    secure,
    stays,
)

TABLE = "balint_sessions_datesreply"
# Settled, nobody asks any more who has looked; never settled, it goes with its year.
DUE = f"""
  with gone as (
    delete from public.{TABLE} r using public.balint_sessions_series s
    where s.id = r.series_id
      and (s.settled_at is not null or s.last_on < current_date - 30) returning 1)
  select count(*)::integer from gone
"""


def also_deletes(function: str, after: str, statement: str) -> str:
    """One statement more in a function of the reader, whatever else it has come to say."""
    return as_reader(f"""
do $do$
declare
  told text := pg_get_functiondef('public.{function}'::regprocedure);
  more text := replace(told, '{after}', '{after}' || ' {statement}');
begin
  if more = told then
    raise exception 'The function % has no such line.', '{function}';
  end if;
  execute more;
end $do$;
""")


class Migration(migrations.Migration):
    dependencies = [
        ("balint_sessions", "0008_more_guards"),
        ("groups", "0007_record"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField("series", "revision", models.PositiveIntegerField(default=0)),
        migrations.CreateModel(
            "DatesReply",
            [
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("replied_at", models.DateTimeField()),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="groups.group",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replies",
                        to="balint_sessions.series",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["member"], name="replies_of_member")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("series", "member"), name="one_reply_per_member_and_series"
                    )
                ],
            },
        ),
        migrations.RunSQL(
            secure(
                TABLE,
                select=f"{OWN} or {LED}",
                insert=f"{OWN} and {INSIDE}",
                update=f"{OWN} and {INSIDE}",
                delete=f"({OWN} and {INSIDE}) or {LED}",
            ),
            open_table(TABLE),
        ),
        migrations.RunSQL(stays(TABLE, "series_id", "group_id", "member_id")),
        migrations.RunSQL(
            same_group("reply_in_its_series_group", TABLE, "series_id", "balint_sessions_series")
        ),
        migrations.RunSQL(
            reader_function(
                "balint_forget_replies_due()",
                "integer",
                DUE,
                callers="balint_worker",
                kind="volatile",
            ),
            as_reader("drop function public.balint_forget_replies_due();"),
        ),
        migrations.RunSQL(
            also_deletes(
                "balint_erase_person(uuid)",
                "delete from public.balint_sessions_answer where member_id = person;",
                f"delete from public.{TABLE} where member_id = person;",
            ),
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            also_deletes(
                "balint_forget_group(uuid, timestamptz)",
                "delete from public.balint_sessions_answer where group_id = of_group;",
                f"delete from public.{TABLE} where group_id = of_group;",
            ),
            migrations.RunSQL.noop,
        ),
    ]
