"""Private reflections, and a word for yourselves."""

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("balint_sessions", "0005_guards"), ("groups", "0007_record")]
    operations: list[Any] = []
