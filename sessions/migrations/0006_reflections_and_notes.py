"""Private reflections, and a word for yourselves.

A reflection is its author's alone, also after they have left; whoever writes one about a session
is inside its group, or was in its circle, and the session has begun. A leaders' word is for those
who led when the session began and lead still: who hands over loses it, who takes over never had it.
"""



import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from members.row_security import (
    OWN,
    open_table,
    reader_function,
    same_group,
    secure,
    stays,
)

T = "balint_sessions_"
BEGAN = "least(s.starts_at, s.opened_at)"
ABOUT_A_SESSION = f"""exists (
  select from {T}session s
  where s.id = {T}reflection.session_id and s.settled_at is not null and {BEGAN} <= now()
    and (s.group_id = any((select public.balint_groups_i_am_in())::uuid[])
      or s.id = any((select public.balint_sessions_i_am_in())::uuid[])))"""
MINE = "author_id = (select public.balint_me())"
CONDUCT = "session_id = any((select public.balint_sessions_i_conduct())::uuid[])"
BEGUN = f"""exists (
  select from {T}session s where s.id = {T}leadersnote.session_id and {BEGAN} <= now())"""
# Ninety days from the writing, and a day for those who write east of Greenwich.
IN_TIME = "forget_on <= current_date + 91"
ALIVE = "forget_on > current_date"
TABLES = {
    f"{T}reflection": {
        "select": OWN,
        "insert": f"{OWN} and {ABOUT_A_SESSION}",
        "update": OWN,
        "delete": OWN,
    },
    f"{T}leadersnote": {
        "select": f"{ALIVE} and {CONDUCT} and ({MINE} or shared)",
        "insert": f"{MINE} and {CONDUCT} and {BEGUN} and {IN_TIME}",
        "update": f"{ALIVE} and {MINE} and {CONDUCT}",
        "delete": f"{MINE} and {CONDUCT}",
    },
}
IMMOVABLE = {
    f"{T}reflection": ("member_id", "session_id", "written_at"),
    f"{T}leadersnote": ("session_id", "group_id", "author_id", "written_at", "forget_on"),
}
# Whoever removes a session may not see the reflections about it, so the database lets go itself.
LETS_GO = f"""
alter table {T}reflection add constraint reflection_of_session
  foreign key (session_id) references {T}session (id) on delete set null;
"""
# The reason of an answer is the person's to forget, wherever they stand now; the answer stays.
FORGET_REASON = reader_function(
    "balint_forget_my_reason(of_answer uuid)",
    "integer",
    """
  with forgotten as (
    update public.balint_sessions_answer
    set reason_sealed = null, reason_version = reason_version + 1
    where id = of_answer and member_id = public.balint_me() returning 1)
  select count(*)::integer from forgotten
""",
    callers="balint_app",
    kind="volatile",
)
WORD_OF_GROUP = ("word_in_its_sessions_group", f"{T}leadersnote", "session_id", f"{T}session")


def person() -> models.ForeignKey:
    """A row of a person goes with the person."""
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


def key() -> models.UUIDField:
    return models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [
        ("balint_sessions", "0005_guards"),
        ("groups", "0007_record"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="LeadersNote",
            fields=[
                ("id", key()),
                ("text_sealed", models.BinaryField(blank=True, null=True)),
                ("text_version", models.PositiveIntegerField(default=0, editable=False)),
                ("shared", models.BooleanField(default=False)),
                ("written_at", models.DateTimeField()),
                ("forget_on", models.DateField()),
                ("author", person()),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="groups.group",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="words",
                        to="balint_sessions.session",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["author"], name="words_of_author"),
                    models.Index(fields=["forget_on"], name="words_to_forget"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("session", "author"), name="one_word_per_leader_and_session"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reflection",
            fields=[
                ("id", key()),
                ("text_sealed", models.BinaryField(blank=True, null=True)),
                ("text_version", models.PositiveIntegerField(default=0, editable=False)),
                ("written_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("member", person()),
                (
                    "session",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="balint_sessions.session",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["member"], name="reflections_of_member")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("session", "member"),
                        name="one_reflection_per_member_and_session",
                    )
                ],
            },
        ),
        *[
            migrations.RunSQL(secure(table, **rights), open_table(table))
            for table, rights in TABLES.items()
        ],
        migrations.RunSQL("".join(stays(table, *names) for table, names in IMMOVABLE.items())),
        migrations.RunSQL(LETS_GO + same_group(*WORD_OF_GROUP)),
        migrations.RunSQL(FORGET_REASON, "drop function public.balint_forget_my_reason(uuid);"),
    ]
