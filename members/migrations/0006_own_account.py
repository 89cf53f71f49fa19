"""Nobody but the person changes an address, a password or a second factor."""

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("members", "0005_shared_limits")]
    operations: list[Any] = []
