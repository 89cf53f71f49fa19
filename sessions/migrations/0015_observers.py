"""Who sits outside the circle of one evening and observes; known inside, gone the next morning."""

# ruff: noqa: S608 - statements put together from our own text, never from anybody's input

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from members.row_security import INSIDE, as_reader, open_table, reader_function, secure

TABLE = "balint_sessions_observer"
CONDUCT = "session_id = any((select public.balint_sessions_i_conduct())::uuid[])"
CIRCLE = "session_id = any((select public.balint_sessions_i_am_in())::uuid[])"
# Who leads does not observe; nor does anybody from outside the group.
MEMBER = f"""exists (
  select from public.groups_membership m
  where m.group_id = {TABLE}.group_id and m.member_id = {TABLE}.member_id and m.role = 'member')"""
REFERENCES = f"""
alter table {TABLE} add constraint {TABLE}_in_its_sessions_group
  foreign key (session_id, group_id) references balint_sessions_session (id, group_id)
  on delete cascade;
alter table {TABLE} add constraint {TABLE}_member_id
  foreign key (member_id) references members_member (id) on delete cascade;
create trigger moves_the_room after insert or update or delete on {TABLE}
  for each row execute function public.balint_room_moved();
"""
FORGET = f"""
  with gone as (
    delete from public.{TABLE} o using public.balint_sessions_session s
    where s.id = o.session_id and (s.runs_until <= now() or exists (
      select from public.groups_groupend e
      where e.group_id = s.group_id and e.forgotten_at is not null)) returning 1)
  select count(*)::integer from gone
"""


class Migration(migrations.Migration):
    dependencies = [
        ("balint_sessions", "0014_live"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Observer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
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
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="balint_sessions.session",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["member"], name="observings_of_member")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("session", "member"), name="one_observer_per_member_and_session"
                    )
                ],
            },
        ),
        migrations.RunSQL(
            secure(
                TABLE,
                select=f"{INSIDE} or {CIRCLE}",
                insert=f"{CONDUCT} and {MEMBER}",
                delete=CONDUCT,
            ),
            open_table(TABLE),
        ),
        migrations.RunSQL(REFERENCES, migrations.RunSQL.noop),
        migrations.RunSQL(
            reader_function(
                "balint_forget_observers()",
                "integer",
                FORGET,
                callers="balint_worker",
                kind="volatile",
            ),
            as_reader("drop function public.balint_forget_observers();"),
        ),
    ]
