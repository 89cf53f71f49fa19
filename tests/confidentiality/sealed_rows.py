"""Two circles with every kind of sealed text at least twice, and how one of them is read anew."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db.models import Model
from django.utils import timezone

from groups.models import AskedAs, Ending, Leave, LeavingReason, Membership
from members.envelope import CannotOpen, SealedText
from sessions.models import Change, LeadersNote, Reflection
from tests.balint.installation import Installation, install
from tests.confidentiality.ground import forget_opened_keys
from tests.world import as_owner, make_circle

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Text:
    """One sealed text where it stands; two of them can be told apart by what they say."""

    model: type[Model]
    name: str
    row: Any
    plain: str
    blob: bytes
    version: int

    @property
    def columns(self) -> tuple[str, str]:
        return getattr(self.model, self.name).columns

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def scope(self) -> str:
        return getattr(self.model, self.name).scope

    def read(self) -> str:
        """What it says now, as a process that was just started reads it; may raise CannotOpen."""
        forget_opened_keys()
        return str(getattr(self.model._default_manager.get(pk=self.row), self.name))

    def is_refused(self) -> bool:
        try:
            self.read()
        except CannotOpen:
            return True
        return False


def sealed_fields() -> Iterator[tuple[type[Model], str]]:
    """Every sealed attribute of every model there is."""
    for model in apps.get_models():
        for name, attribute in vars(model).items():
            if isinstance(attribute, SealedText):
                yield model, name


def furnish() -> tuple[Installation, Installation]:
    """Two circles, strangers to each other, with something of everything sealed."""
    both = install(make_circle()), install(make_circle())
    for there in both:
        with as_owner():
            _more(there)
    return both


def _more(there: Installation) -> None:
    """A second text of each kind, each saying whose and which it is."""
    circle, now = there.circle, timezone.now()
    group, name = circle.group, str(circle.group.pk)
    there.being_told.title = f"second title of {name}"
    there.being_told.save()
    leave = Leave(group=group, member=circle.absent, starts_at=now - 90 * DAY)
    leave.ended_at = now - 60 * DAY
    _sealed(leave, reason=f"second leave of {name}")
    change = Change(session=there.planned, group=group, kind="moved", at=now)
    _sealed(change, reason=f"second change of {name}")
    ending = Ending.objects.create(
        group=group,
        membership=Membership.objects.get(group=group, member=circle.member),
        asked_by=circle.member,
        asked_as=AskedAs.PERSON,
        asked_at=now,
        ends_at=now + 30 * DAY,
    )
    why = LeavingReason(
        group=group, member=circle.member, ending=ending, forget_on=date.today() + 120 * DAY
    )
    _sealed(why, text=f"second leaving of {name}")
    for number, member in enumerate((circle.absent, circle.presenter)):
        mine = Reflection(member=member, session=there.held, written_at=now, changed_at=now)
        _sealed(mine, text=f"reflection {number} of {name}")
    for number, leader in enumerate((circle.leader, circle.second_leader)):
        word = LeadersNote(session=there.running, group=group, author=leader, written_at=now)
        word.forget_on = date.today() + 90 * DAY
        _sealed(word, text=f"word {number} of {name}")
    for leader in (circle.leader, circle.second_leader):
        for sort, field in (("totp", "secret"), ("recovery_codes", "seed")):
            secret = Authenticator(user=leader, type=sort, data={})
            secret.data = {field: _marked(f"{sort} of {leader.pk}")}
            Authenticator(user=leader, type=sort, data=secret.data).save()


def _marked(secret: str) -> str:
    from allauth.mfa.adapter import get_adapter

    return str(get_adapter().encrypt(secret))


def _sealed(row: Any, **texts: str) -> None:
    for name, text in texts.items():
        setattr(row, name, text)
    row.save(force_insert=True)


def texts() -> list[Text]:
    """Every sealed text that stands, with what it says; read as who may read everything."""
    found = []
    for model, name in sealed_fields():
        blob, version = getattr(model, name).columns
        for row in model._default_manager.filter(**{f"{blob}__isnull": False}).order_by("pk"):
            sealed = bytes(getattr(row, blob))
            found.append(
                Text(model, name, row.pk, getattr(row, name), sealed, getattr(row, version))
            )
    return found
