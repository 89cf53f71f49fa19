"""Hours in which a person wants no mail, and with which other letter a letter went."""

import datetime

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0006_own_account")]
    operations = [
        migrations.AddField(
            "member",
            "quiet_from",
            models.TimeField(default=datetime.time(22), verbose_name="no mail from"),
        ),
        migrations.AddField(
            "member",
            "quiet_until",
            models.TimeField(default=datetime.time(7), verbose_name="until"),
        ),
        migrations.AddField("letter", "went_with", models.UUIDField(null=True)),
    ]
