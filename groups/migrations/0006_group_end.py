"""A group's end."""

from typing import Any

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("groups", "0005_frame_guards")]
    operations: list[Any] = []
