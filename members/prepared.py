"""Filters of what a person may see, whose SQL is put together once and then only given its values.

Django takes ten milliseconds to write the SQL of a nested filter that PostgreSQL answers in one,
and every page asks several times what somebody may see. So such a filter is written for nobody at
no time, its SQL is kept, and the person and the instant are put in where those two stood.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL

from members.models import Member

NOBODY: Final = Member(pk=UUID("00000000-0000-4000-8000-6e6f626f6479"))
NO_TIME: Final = datetime(2222, 2, 2, 2, 2, 2, 222222, tzinfo=UTC)
# What a filter reckons from the instant lies near it.
NEAR: Final = timedelta(days=1000)

M = TypeVar("M", bound=Model)
More = ParamSpec("More")
Value = Callable[[Member, datetime], object]
_known: list[dict[Hashable, "Prepared"]] = []


@dataclass(frozen=True)
class Prepared:
    """The SQL that selects the keys of a model's rows, and what each of its places is given."""

    model: type[Model]
    sql: str
    values: tuple[Value, ...]

    @classmethod
    def of(cls, rows: QuerySet[Any]) -> "Prepared":
        """From the filter of `NOBODY` at `NO_TIME`."""
        sql, places = rows.order_by().values("pk").query.sql_with_params()
        if NOBODY.pk not in places:
            raise ValueError(f"This asks nothing of the person: {sql}")
        return cls(rows.model, sql, tuple(_value(place) for place in places))

    def rows(self, member: Member, at: datetime) -> QuerySet[Any]:
        """The filter of one person at an instant, to be narrowed further or asked as it is."""
        given = [value(member, at) for value in self.values]
        # Our own SQL, of a filter without anybody's input.
        keys = RawSQL(self.sql, given)  # noqa: S611
        return self.model._default_manager.filter(pk__in=keys)


def prepared(
    build: Callable[Concatenate[Member, datetime, More], QuerySet[M]],
) -> Callable[Concatenate[Member, datetime, More], QuerySet[M]]:
    """For a filter that asks nothing of the person but the key, and of the instant but dates.

    What else it is called with belongs to the SQL, and so must be one of few.
    """
    made: dict[Hashable, Prepared] = {}
    _known.append(made)

    @wraps(build)
    def given(member: Member, at: datetime, *args: More.args, **more: More.kwargs) -> QuerySet[M]:
        key = (args, frozenset(more.items()))
        if key not in made:
            made[key] = Prepared.of(build(NOBODY, NO_TIME, *args, **more))
        return made[key].rows(member, at)

    return given


def forget() -> None:
    """Where the rules themselves are changed, as tests do, their SQL is written again."""
    for made in _known:
        made.clear()


def _value(place: object) -> Value:
    if place == NOBODY.pk:
        return lambda member, at: member.pk
    if isinstance(place, datetime) and abs(place - NO_TIME) < NEAR:
        later = place - NO_TIME
        return lambda member, at: at + later
    if type(place) is date and abs(place - NO_TIME.date()) < NEAR:
        days = place - NO_TIME.date()
        return lambda member, at: at.date() + days
    return lambda member, at: place
