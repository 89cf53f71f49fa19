"""Whether a presenter's camera stays on, off or as they like, while the group works online."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("groups", "0009_evenings")]
    operations = [
        migrations.AddField(
            "group",
            "presenter_camera",
            models.CharField(
                "the presenter’s camera, while the group works online",
                blank=True,
                choices=[("", "as the presenter likes"), ("on", "on"), ("off", "off")],
                default="",
                max_length=3,
            ),
        ),
    ]
