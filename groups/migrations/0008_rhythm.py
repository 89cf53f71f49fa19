"""How many days before a meeting reminders come: of a group, and of a person in it."""

import django.contrib.postgres.fields
from django.db import migrations, models


def days() -> django.contrib.postgres.fields.ArrayField:
    return django.contrib.postgres.fields.ArrayField(
        models.PositiveSmallIntegerField(), null=True, blank=True
    )


class Migration(migrations.Migration):
    dependencies = [("groups", "0007_record"), ("members", "0007_quiet_hours")]
    operations = [
        migrations.AddField("group", "reminder_days", days()),
        migrations.AddField("preference", "reminder_days", days()),
    ]
