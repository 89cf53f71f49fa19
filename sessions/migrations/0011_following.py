"""A change of a date remembers what it took away, so that it can be undone."""

from django.db import migrations, models

KINDS = [(kind, kind) for kind in ("moved", "cancelled", "restored", "undone")]


class Migration(migrations.Migration):
    dependencies = [("balint_sessions", "0010_tonight")]
    operations = [
        migrations.AddField("change", "before", models.JSONField(null=True, blank=True)),
        migrations.AlterField("change", "kind", models.CharField(max_length=12, choices=KINDS)),
    ]
