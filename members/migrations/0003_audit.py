"""The record of who read or changed which kind of thing."""

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("members", "0002_row_level_security")]
    operations: list[Any] = []
