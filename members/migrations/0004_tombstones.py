"""What was erased stays erased after a restore."""

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("members", "0003_audit")]
    operations: list[Any] = []
