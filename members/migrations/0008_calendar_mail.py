"""Whether a person's mails carry calendar entries."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0007_quiet_hours")]
    operations = [
        migrations.AddField(
            "member",
            "calendar_mail",
            models.BooleanField(default=True, verbose_name="calendar entries with mails"),
        ),
    ]
