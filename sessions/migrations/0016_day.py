"""A day of several sessions planned in one go, each with a leader of its own."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

LETS_GO = """
alter table balint_sessions_session add constraint balint_sessions_session_led_by_id
  foreign key (led_by_id) references members_member (id) on delete set null;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("balint_sessions", "0015_observers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField("session", "day", models.UUIDField(blank=True, null=True)),
        migrations.AddField(
            "session",
            "led_by",
            models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(LETS_GO, migrations.RunSQL.noop),
    ]
