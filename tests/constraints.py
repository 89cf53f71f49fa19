"""Tripping constraints through the database, by name."""

from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from tests.world import as_owner


def named(label: str) -> set[str]:
    """Every constraint an app names: those of its models, and keys that hold a group in common."""
    models = list(apps.get_app_config(label).get_models())
    stated = {constraint.name for model in models for constraint in model._meta.constraints}
    with connection.cursor() as cursor:
        cursor.execute(
            "select conname from pg_constraint where contype = 'f' and cardinality(conkey) > 1 "
            "and conrelid = any(%s::regclass[]::oid[])",
            [[model._meta.db_table for model in models]],
        )
        return stated | {row[0] for row in cursor.fetchall()}


def tripped(rows: Callable[[], Model | list[Model]]) -> str | None:
    """The name of the constraint that refuses the last of the rows; those before it are taken."""
    with as_owner():
        made = rows()
        *taken, last = made if isinstance(made, list) else [made]
        for row in taken:
            row.save(force_insert=True)
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            last.save(force_insert=True)
    return refused.value.__cause__.diag.constraint_name
