"""How an evening goes: templates that a programme may edit, and what a group switches.

The rows without a programme came with the site and are nobody's to change; a guard says so, and
that the others are the office's of their programme.
"""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

PHASES = (
    *("arriving", "follow_up", "call", "story"),
    *("questions", "group_work", "return", "closing"),
)
TABLE = "groups_eveningtemplate"

# Key, name, cases, minutes in the order of the phases, and whatever is not as usual.
SITES_OWN: tuple[tuple[str, str, int, tuple[int, ...], dict[str, object]], ...] = (
    ("60", "", 1, (3, 3, 2, 5, 5, 32, 5, 5), {}),
    ("75", "", 1, (5, 5, 2, 5, 5, 43, 5, 5), {}),
    ("90", "", 1, (5, 5, 3, 7, 5, 52, 8, 5), {}),
    ("90-two", "", 2, (4, 3, 2, 5, 4, 25, 3, 5), {}),
    ("doppelstunde", "Doppelstunde", 1, (5, 5, 3, 8, 7, 49, 8, 5), {}),
    ("120", "", 2, (5, 4, 2, 7, 5, 33, 6, 5), {}),
    ("training", "Training, with a timekeeper", 1, (5, 3, 3, 7, 8, 39, 5, 5), {"keeps_time": True}),
    (
        "fishbowl",
        "Fishbowl, with observers",
        1,
        (5, 0, 3, 7, 5, 55, 10, 5),
        {"has_observers": True},
    ),
    ("day", "Intensive day", 1, (5, 0, 3, 7, 5, 57, 8, 5), {"sessions": 4, "pause": 30}),
)
NINETY = dict(zip(PHASES, SITES_OWN[2][3], strict=True))

GUARD = f"""
create function public.balint_guard_eveningtemplate() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if not public.balint_by_the_web() then
    return case when tg_op = 'DELETE' then old else new end;
  end if;
  if (tg_op <> 'INSERT' and not coalesce(public.balint_looks_after(old.programme_id), false))
    or (tg_op <> 'DELETE' and not coalesce(public.balint_looks_after(new.programme_id), false))
    or (tg_op = 'UPDATE' and (new.id, new.programme_id, new.key)
      is distinct from (old.id, old.programme_id, old.key))
  then
    perform public.balint_refuse('a template is written by who looks after its programme');
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger guard before insert or update or delete on {TABLE}
  for each row execute function public.balint_guard_eveningtemplate();
"""


def bring_the_sites_own(apps, schema_editor):
    template = apps.get_model("groups", "EveningTemplate")
    for position, (key, name, cases, minutes, more) in enumerate(SITES_OWN, 1):
        by_phase = dict(zip(PHASES, minutes, strict=True))
        template.objects.create(
            key=key, name=name, cases=cases, minutes=by_phase, position=position, **more
        )


def keep_what_differs(apps, schema_editor):
    """A group's minutes were all of them; now they are those that are not the template's."""
    for group in apps.get_model("groups", "Group").objects.exclude(minutes={}):
        differs = {phase: n for phase, n in group.minutes.items() if n != NINETY.get(phase)}
        group.minutes = differs
        group.save(update_fields=["minutes"])


def switch(words: str, on: bool) -> models.BooleanField:
    return models.BooleanField(default=on, verbose_name=words)


class Migration(migrations.Migration):
    dependencies = [("groups", "0008_rhythm")]
    operations = [
        migrations.CreateModel(
            name="EveningTemplate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=40)),
                ("name", models.CharField(blank=True, max_length=60, verbose_name="name")),
                ("cases", models.PositiveSmallIntegerField(default=1, verbose_name="cases")),
                ("minutes", models.JSONField(default=dict)),
                (
                    "sessions",
                    models.PositiveSmallIntegerField(default=1, verbose_name="meetings on one day"),
                ),
                (
                    "pause",
                    models.PositiveSmallIntegerField(
                        default=0, verbose_name="minutes between them"
                    ),
                ),
                ("asks_questions", switch("questions of fact after the story", True)),
                ("sits_back", switch("the presenter sits back", True)),
                ("keeps_time", switch("one of the group keeps time", False)),
                ("has_observers", switch("some sit outside and observe", False)),
                ("offered", switch("offered to groups", True)),
                ("position", models.PositiveSmallIntegerField(default=100)),
                (
                    "programme",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evenings",
                        to="groups.programme",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("programme", "key"),
                        name="one_template_per_programme_and_key",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=Q(cases__gte=1, cases__lte=3, sessions__gte=1, sessions__lte=6),
                        name="evening_has_1_to_3_cases_and_a_day_1_to_6_sessions",
                        violation_error_message="One to three cases, one to six meetings a day.",
                    ),
                ],
            },
        ),
        migrations.AddField("group", "evening", models.CharField(blank=True, max_length=40)),
        migrations.AddField("group", "keeps_time", switch("one of the group keeps time", False)),
        migrations.AddField(
            "group", "has_observers", switch("some sit outside and observe", False)
        ),
        migrations.AddField(
            "group", "follow_up_words", models.CharField(blank=True, max_length=120)
        ),
        migrations.AddField("group", "call_words", models.CharField(blank=True, max_length=120)),
        migrations.AddField(
            "group",
            "talk_minutes",
            models.PositiveSmallIntegerField(
                default=0, verbose_name="the leaders’ own talk, minutes"
            ),
        ),
        migrations.AddConstraint(
            "group",
            models.CheckConstraint(
                condition=Q(talk_minutes__lte=120),
                name="leaders_talk_for_at_most_two_hours",
                violation_error_message="At most two hours.",
            ),
        ),
        migrations.RunPython(bring_the_sites_own, migrations.RunPython.noop),
        migrations.RunPython(keep_what_differs, migrations.RunPython.noop),
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
    ]
