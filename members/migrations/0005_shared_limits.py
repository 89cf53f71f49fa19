"""Rate limits without Redis."""

import uuid

from django.db import migrations, models

UNLOGGED = "alter table members_cacheentry set unlogged;"
LOGGED = "alter table members_cacheentry set logged;"


class Migration(migrations.Migration):
    dependencies = [("members", "0004_tombstones")]
    operations = [
        migrations.CreateModel(
            name="CacheEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("value", models.TextField()),
                ("expires_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="cache_entries_to_clear")],
            },
        ),
        migrations.RunSQL(UNLOGGED, LOGGED),
    ]
