"""What a leak is: a byte shown to who may not see it, a row changed by who may not change it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from groups.models import Entrance, Membership
from tests.balint import installation
from tests.balint.installation import Installation
from tests.confidentiality import policy
from tests.confidentiality.asking import Answer, Change, same_member
from tests.confidentiality.world import DUE, World, other_words
from tests.world import as_owner

# Who of those in the matrix is what to the other group; to everybody else it is nothing.
IN_B = {
    "outsider": "member",
    "leader_b": "leader",
    "member_of_both": "new_member",
    "admin_in_b": "new_member",
    "admin": "admin",
}
# Whoever holds the token of an invitation or of a feed learns what it is for.
Readers = Callable[[str, str], frozenset[str]]
TOLD_BY_TOKEN = {"invitation", "feed", "answer_by_mail", "unsubscribe"}
# Whoever brings the token of a letter speaks for its reader: of group A, or of group B.
SPOKEN_FOR = dict.fromkeys(("answer_by_mail", "unsubscribe"), ("member", "outsider"))


def speaking(route: str, persona: str) -> Sequence[str]:
    """In whose name a request is heard."""
    return SPOKEN_FOR.get(route, (persona,))


@dataclass(frozen=True)
class Mark:
    """A text by which one sees that something is shown, and who may see it."""

    name: str
    text: str
    readers: frozenset[str]
    content: bool
    # Where the object's state says more: who may read it on a page of that one.
    by_state: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def may_read(self, persona: str, state: str) -> bool:
        return persona in self.by_state.get(state, self.readers)


def marks(world: World) -> list[Mark]:
    """Everything of both groups that could leak."""
    with as_owner():
        return [*_marks_of_a(world), *_marks_of_b(world.b)]


def _marks_of_a(world: World) -> Iterator[Mark]:
    states = [name.split() for name in policy.whole()["texts"] if " " in name]
    for name in policy.texts():
        by_state = {
            state: policy.readers("texts", f"{name} {state}") for of, state in states if of == name
        }
        seen_by = policy.readers("texts", name)
        yield Mark(name, getattr(installation, name), seen_by, content=True, by_state=by_state)
    yield from _others(world.a, "", policy.readers)
    yield Mark("due_title", DUE, policy.readers("marks", "due_title"), content=True)
    yield Mark("due", str(world.due.pk), policy.readers("marks", "due"), content=True)


def _marks_of_b(b: Installation) -> Iterator[Mark]:
    def readers(kind: str, name: str) -> frozenset[str]:
        of_a = policy.readers(kind, name)
        return frozenset(who for who, role in IN_B.items() if role in of_a)

    for name in policy.texts():
        text = other_words(getattr(installation, name))
        if name == "LINK":
            text = Entrance.objects.get(group=b.circle.group).join_link
        yield Mark(f"{name} of B", text, readers("texts", name), content=True)
    yield from _others(b, " of B", readers)


def _others(of: Installation, suffix: str, readers: Readers) -> Iterator[Mark]:
    circle = of.circle
    content = {"told": of.told.pk, "telling": of.being_told.pk}
    frame = {
        "group": circle.group.name,
        "name_of_member": circle.presenter.name,
        "name_of_leader": circle.second_leader.name,
        "name_of_newcomer": circle.newcomer.name,
        "proposed": of.proposal.name,
    }
    circle.group.refresh_from_db()
    frame["alias"] = circle.group.alias
    for kind, values in (("marks", content), ("frame", frame)):
        for name, text in values.items():
            seen_by = readers(kind, name)
            yield Mark(name + suffix, str(text), seen_by, content=kind == "marks")


def shown(answer: Answer, seen: list[Mark], persona: str, route: str, state: str) -> Iterator[Mark]:
    """What is shown to somebody who may not see it."""
    for mark in seen:
        if mark.text not in answer.text or mark.may_read(persona, state):
            continue
        if mark.content or route not in TOLD_BY_TOKEN:
            yield mark


class Owners:
    """Whose a row is, and of which group."""

    def __init__(self, world: World) -> None:
        self.pks = {name: one.pk for name, one in world.people.items() if one is not None}
        self.a, self.b = str(world.a.circle.group.pk), str(world.b.circle.group.pk)
        with as_owner():
            self.memberships = {
                str(pk): str(member)
                for pk, member in Membership.objects.values_list("pk", "member")
            }

    def wrongly(
        self, changes: list[Change], personas: Sequence[str], tables: frozenset[str] | None
    ) -> Iterator[str]:
        """The tables of rows changed by somebody who may not; `tables` narrows where one looks."""
        for change in changes:
            if tables is not None and change.table not in tables:
                continue
            if not any(self._right(change, persona) for persona in personas):
                yield f"{change.table} {_columns(change)}"

    def _right(self, change: Change, persona: str) -> bool:
        row, own = change.row, self._own(change, persona)
        group = row["id"] if change.table == "groups_group" else row.get("group_id")
        if group == self.b:
            role = IN_B.get(persona)
            return own or (role is not None and policy.may_change(change.table, role, own=own))
        if group is not None and group != self.a:
            # A group that was made in this request.
            return change.before is None or own
        return policy.may_change(change.table, persona, own=own)

    def _own(self, change: Change, persona: str) -> bool:
        me, row = self.pks.get(persona), change.row
        if change.table == "members_member":
            return same_member(row["id"], me)
        if change.table == "groups_ending":
            return same_member(self.memberships.get(row["membership_id"]), me)
        return any(
            same_member(row.get(column), me)
            for column in ("member_id", "user_id", "author_id", "recipient_id")
        )


def _columns(change: Change) -> str:
    before, after = change.before or {}, change.after or {}
    if not before or not after:
        return "removed" if before else "put in"
    return " ".join(name for name in after if after[name] != before.get(name))
