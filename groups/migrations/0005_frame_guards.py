"""Nobody is let past another in the frame."""

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("groups", "0004_guards"), ("members", "0006_own_account")]
    operations: list[Any] = []
