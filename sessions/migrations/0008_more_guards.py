"""Guards of what happens in a group."""

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("balint_sessions", "0007_forgetting")]
    operations: list[Any] = []
