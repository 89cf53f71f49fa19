"""Who may open the record of a group."""

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("groups", "0006_group_end")]
    operations: list[Any] = []
