"""The circle, the product's sign: who sits where, as numbers; a template draws them.

Coordinates are pixels from the box's upper left corner. Chairs stand clockwise from the top in the
order given, which is the same for everyone in the group.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.models import TITLES

FEWEST, MOST = 2, 20
SIZE = 150
CHAIR, SMALL_CHAIR, MANY = 17.0, 13.5, 12
GAP = 3.0
NAME_HEIGHT, NAME_WIDTH, LONGEST_NAME, LONGEST_OF_MANY = 15.0, 66.0, 11, 8
EDGE = 2.0


@dataclass(frozen=True)
class Chair:
    """One place in the circle and who has it.

    `outside` moves a presenter out of the ring and leaves the chair empty; who `observes` has a
    chair further out and none in the ring. `value` is what a form posts for this person.
    """

    initials: str
    name: str
    role: Literal["leader", "member"] = "member"
    away: bool = False
    presenter: bool = False
    outside: bool = False
    disconnected: bool = False
    value: str = ""
    observes: bool = False

    @property
    def classes(self) -> str:
        """The words the style sheet draws by; who is away is drawn as away, whatever the role."""
        if self.away:
            return "away"
        kind = "presenter" if self.presenter else self.role
        return f"{kind} lost" if self.disconnected else kind

    @property
    def called(self) -> str:
        """What people call each other, short enough to stand under a chair."""
        return shortened(called(self.name), LONGEST_NAME)


@dataclass(frozen=True)
class Seat:
    """A chair drawn: its place and radius, and the empty place it left, if it was moved out."""

    chair: Chair
    x: float
    y: float
    radius: float
    empty: tuple[float, float] | None = None

    @property
    def inner_radius(self) -> float:
        """Of the second outline that tells the presenter without colour."""
        return rounded(self.radius - 2.5)

    @property
    def name(self) -> str:
        """Under the chair; shorter where many sit close together."""
        longest = LONGEST_NAME if self.radius == CHAIR else LONGEST_OF_MANY
        return shortened(called(self.chair.name), longest)

    @property
    def name_y(self) -> float:
        """Under the chair; above it for who moved out upwards, where the empty chair is below."""
        moved_up = self.empty is not None and self.empty[1] > self.y
        return rounded(self.y - self.radius - 5 if moved_up else self.y + self.radius + 11.5)


@dataclass(frozen=True)
class Circle:
    """The whole drawing: a square box, the ring in its middle and the seats on it."""

    size: float
    centre: float
    ring: float
    seats: tuple[Seat, ...]


def seat(
    chairs: Sequence[Chair], size: float = SIZE, *, names: bool = False, room: bool = False
) -> Circle:
    """Seat 2 to 20 chairs on a ring of at least `size` pixels across.

    The ring grows until no two chairs touch. `names` leaves space under each chair; `room` leaves
    space outside the ring even while nobody sits there, so that nothing jumps when somebody does.
    """
    if not FEWEST <= len(chairs) <= MOST:
        raise ValueError(f"A circle has {FEWEST} to {MOST} chairs, not {len(chairs)}.")
    radius = CHAIR if len(chairs) <= MANY else SMALL_CHAIR
    sitting = [chair for chair in chairs if not chair.observes]
    observing = [chair for chair in chairs if chair.observes]
    ring = ring_radius(max(len(sitting), FEWEST), radius, size, names)
    step_out = 2 * radius + GAP + (NAME_HEIGHT if names and observing else 0)
    reach = ring + (step_out if room or any(chair.outside for chair in chairs) else 0)
    around = 0.0
    if observing:
        # Beyond the place of a presenter who sits back, so that nobody sits on that chair.
        widest = ring_radius(max(len(observing), FEWEST), radius, size, names)
        beyond = 2 * step_out + (NAME_HEIGHT if names else 0)
        around = reach = max(ring + beyond, widest)
    half = reach + (NAME_WIDTH / 2 if names else radius) + EDGE
    inner = (
        one_seat(chair, angle(index, len(sitting)), half, ring, step_out, radius)
        for index, chair in enumerate(sitting)
    )
    outer = (
        Seat(chair, *point(half, around, angle(index + 0.5, len(observing))), radius)
        for index, chair in enumerate(observing)
    )
    return Circle(rounded(2 * half), rounded(half), rounded(ring), (*inner, *outer))


def ring_radius(count: int, radius: float, size: float, names: bool) -> float:
    """Wide enough that neighbours keep their distance, and a name fits between two chairs."""
    between = (NAME_HEIGHT + GAP if names else GAP) / 2
    return max(size / 2, (radius + between) / sin(pi / count))


def angle(index: float, count: int) -> float:
    """In radians, clockwise, the first chair at the top."""
    return 2 * pi * index / count - pi / 2


def one_seat(
    chair: Chair, at: float, centre: float, ring: float, step_out: float, radius: float
) -> Seat:
    inside = point(centre, ring, at)
    if not chair.outside:
        return Seat(chair, *inside, radius)
    return Seat(chair, *point(centre, ring + step_out, at), radius, empty=inside)


def point(centre: float, distance: float, at: float) -> tuple[float, float]:
    return rounded(centre + distance * cos(at)), rounded(centre + distance * sin(at))


def rounded(number: float) -> float:
    return round(number, 1)


def name_words(name: str) -> list[str]:
    """The name without titles: “Prof. Dr Dana Green” is Dana Green."""
    words = [word for word in name.split() if word.rstrip(".") not in TITLES]
    return words or name.split() or ["?"]


def called(name: str) -> str:
    return name_words(name)[0]


def shortened(name: str, longest: int) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"


def initials(name: str) -> str:
    """First and last word's first letter; one letter for a single word."""
    words = name_words(name)
    ends = words if len(words) == 1 else [words[0], words[-1]]
    return "".join(word[0] for word in ends).upper()


def initials_of(names: Sequence[str]) -> list[str]:
    """Initials for people who sit together: those who share them get one more letter."""
    plain = [initials(name) for name in names]
    shared = {letters for letters, count in Counter(plain).items() if count > 1}
    return [
        letters + name_words(name)[-1][1:2].lower() if letters in shared else letters
        for name, letters in zip(names, plain, strict=True)
    ]


def describe(chairs: Sequence[Chair]) -> str:
    """What the drawing says, in words: “8 people in the circle; Amit is sitting back”."""
    present = sum(not chair.away and not chair.observes for chair in chairs)
    parts = [
        ngettext("%(count)d person in the circle", "%(count)d people in the circle", present)
        % {"count": present}
    ]
    watching = sum(chair.observes for chair in chairs)
    if watching:
        said = ngettext("%(n)d observes from outside", "%(n)d observe from outside", watching)
        parts.append(said % {"n": watching})
    parts += [_("%(name)s is away") % {"name": chair.called} for chair in chairs if chair.away]
    parts += [presenter_in_words(chair) for chair in chairs if chair.presenter]
    parts += [
        _("%(name)s is not connected") % {"name": chair.called}
        for chair in chairs
        if chair.disconnected
    ]
    return "; ".join(parts)


def presenter_in_words(chair: Chair) -> str:
    sentence = _("%(name)s is sitting back") if chair.outside else _("%(name)s is telling a case")
    return sentence % {"name": chair.called}
