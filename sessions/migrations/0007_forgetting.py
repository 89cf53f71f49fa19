"""Every class of what is kept is forgotten on time."""

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("balint_sessions", "0006_reflections_and_notes")]
    operations: list[Any] = []
