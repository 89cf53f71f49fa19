"""Functions of the database that a person may call without reading what they write."""

from uuid import UUID

from django.db import connection


def ask(question: str, *values: UUID | int | bool | list[UUID]) -> int | None:
    """The one answer of a `select`."""
    with connection.cursor() as cursor:
        cursor.execute(question, list(values))
        return cursor.fetchone()[0]
