"""One layer taken away, so that the other has to hold alone."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from inspect import signature
from types import FunctionType
from typing import Any, Literal

from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone

from groups import gate, policy
from groups import visible as frame
from groups.models import Group, Membership, ProgrammeAdmin
from groups.policy import Role
from members import prepared
from members.identity import become
from members.kinds import Kind
from members.models import Member
from sessions import visible

Layer = Literal["both", "database", "application"]
LAYERS: tuple[Layer, ...] = ("both", "database", "application")
PACKAGES = ("balint", "members", "groups", "sessions")

# What anybody would be if nobody asked: everything but the two roles that lead elsewhere.
EVERYTHING = frozenset({Role.LEADER, Role.MEMBER})


@contextmanager
def alone(layer: Layer) -> Iterator[None]:
    """Both layers as they are; or the database's without the application's; or the other way."""
    with ExitStack() as stack:
        if layer == "database":
            stack.enter_context(without_policy())
        if layer == "application":
            without_row_security()
        yield


@contextmanager
def put_in_place(function: Callable[..., Any], other: Callable[..., Any]) -> Iterator[None]:
    """`other` wherever our code knows `function` by whatever name."""
    places = [
        (module, name)
        for key, module in list(sys.modules.items())
        if key.partition(".")[0] in PACKAGES
        for name, value in list(vars(module).items())
        if value is function
    ]
    for module, name in places:
        setattr(module, name, other)
    prepared.forget()
    try:
        yield
    finally:
        for module, name in places:
            setattr(module, name, function)
        prepared.forget()


def _all_of(model: type) -> Callable[..., Any]:
    return lambda *args, **kwargs: model.objects.all()  # type: ignore[attr-defined]


def _everything(*args: Any, **kwargs: Any) -> frozenset[Role]:
    return EVERYTHING


def _of_every_group(*args: Any, **kwargs: Any) -> dict[Any, frozenset[Role]]:
    return dict.fromkeys(Group.objects.values_list("pk", flat=True), EVERYTHING)


@contextmanager
def without_policy() -> Iterator[None]:
    """Every filter of who may see what shows all, and every question who may is answered yes."""
    with ExitStack() as stack:
        for function, other in _permissive().items():
            stack.enter_context(put_in_place(function, other))
        yield


def _permissive() -> dict[Callable[..., Any], Callable[..., Any]]:
    return {
        policy.groups_where: _all_of(Group),
        policy.may: lambda *args, **kwargs: True,
        policy.roles_of: _everything,
        policy.roles_by_group: _of_every_group,
        policy.memberships_of: lambda *args: Membership.objects.select_related("group"),
        policy.programmes_of: lambda *args: ProgrammeAdmin.objects.select_related("programme"),
        gate.check: _everything,
        **{
            function: _all_of(_model_of(function))
            for module in (frame, visible)
            for function in _filters(module)
        },
    }


def _filters(module: Any) -> list[Callable[..., Any]]:
    """The public functions of a module of filters that take a person first."""
    return [
        function
        for name, function in vars(module).items()
        if isinstance(function, FunctionType)
        and function.__module__ == module.__name__
        and not name.startswith("_")
        and function.__code__.co_varnames[0] == "member"
    ]


def _model_of(function: Callable[..., Any]) -> Any:
    """What it filters; nothing is asked of the database by that."""
    wanted = [one for one in signature(function).parameters.values() if one.default is one.empty]
    return function(*[Member(), timezone.now()][: len(wanted)]).model


def without_row_security() -> None:
    """No table of content asks any more; until the transaction is taken back."""
    with transaction.atomic(), connection.cursor() as cursor:
        become(None, "balint_owner")
        cursor.execute("set constraints all immediate")
        for model in apps.get_models():
            if getattr(model, "balint_kind", None) == Kind.CONTENT:
                table = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(f"alter table {table} disable row level security")
        cursor.execute("set constraints all deferred")
        become(None, "balint_app")
