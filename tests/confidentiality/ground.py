"""Where a proof stands: a database of its own, which Django is pointed to while it lasts.

The same for the suite and for `make confidentiality`; every proof leaves both as it found them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Literal

import dj_database_url
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from members import keys
from members.models import Member
from tests import servers

Size = Literal["small", "whole"]
_numbers = count(1)


@contextmanager
def own_database(template: str = "") -> Iterator[str]:
    """A fresh database, or a copy of `template`, and Django speaking to it as the tests' login."""
    with copy(template) as name, speaking_to(name):
        yield name


@contextmanager
def copy(template: str = "") -> Iterator[str]:
    """A database of its own, from the migrated template or from another one nobody is using."""
    name = f"proof_{os.getpid()}_{next(_numbers)}"
    with servers.superuser() as connection:
        connection.execute(f'drop database if exists "{name}" with (force)')
        connection.execute(
            f'create database "{name}" template "{template or servers.TEMPLATE}"'
            " owner balint_owner strategy file_copy"
        )
    try:
        yield name
    finally:
        servers.drop(name)


@contextmanager
def speaking_to(name: str, login: str = "balint_test", **options: Any) -> Iterator[None]:
    """Django's connections go to this database; whatever they went to before comes back."""
    default = connections["default"]
    before = dict(default.settings_dict)
    default.close()
    default.settings_dict.update(dj_database_url.parse(servers.url(login, name)))
    default.settings_dict["OPTIONS"] = default.settings_dict.get("OPTIONS", {}) | options
    try:
        yield
    finally:
        default.close()
        default.settings_dict.clear()
        default.settings_dict.update(before)


def forget_opened_keys() -> None:
    """Every data key is read from the database again, as in a process just started."""
    keys.in_use().opened.forget()


def signed_in(member: Member | None, **options: Any) -> Client:
    """A browser of this person that meets errors as answers; signed in just now, all run long."""
    client = Client(raise_request_exception=False, **options)
    if member is not None:
        client.force_login(member)
        session = client.session
        at = timezone.now().timestamp() + 3600
        proof = {"method": "password", "at": at, "email": member.email, "reauthenticated": True}
        session["account_authentication_methods_user"] = str(member.pk)
        session["account_authentication_methods"] = [proof]
        session.save()
    return client


@contextmanager
def taken_back() -> Iterator[None]:
    """A request whose every write is undone when it has been answered."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
