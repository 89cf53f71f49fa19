"""Rate limits without Redis."""

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("members", "0004_tombstones")]
    operations: list[Any] = []
