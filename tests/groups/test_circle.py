"""Nobody sits on anybody's lap, everybody is in the picture, and it can be said in words."""

from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations
from math import dist

import pytest
from django.template import Context, Template

from groups.circle import Chair, Circle, describe, initials, initials_of, seat

NAMES = ["Dr Ruth Marks", "Dr Dana Green", "Dr Samuel Ilan", "Dr Amit Nader", "Dr Joan Tal"]


def chairs(count: int, outside: int | None = None) -> list[Chair]:
    return [
        Chair(
            initials="AB",
            name=f"Person{index}",
            role="leader" if index == 0 else "member",
            presenter=index == outside,
            outside=index == outside,
            value=str(index),
        )
        for index in range(count)
    ]


def discs(circle: Circle) -> list[tuple[float, float, float]]:
    """Every chair drawn, the empty one too."""
    taken = [(one.x, one.y, one.radius) for one in circle.seats]
    return taken + [(*one.empty, one.radius) for one in circle.seats if one.empty]


EVERY_DRAWING = [
    (count, outside, names)
    for count in range(2, 21)
    for outside in (None, 0, 1, count // 2, count - 1)
    for names in (False, True)
]


@pytest.mark.parametrize(("count", "outside", "names"), EVERY_DRAWING)
def test_chairs_never_overlap_and_stay_in_the_picture(count, outside, names):
    circle = seat(chairs(count, outside), names=names)

    for (x, y, radius), (other_x, other_y, other_radius) in combinations(discs(circle), 2):
        assert dist((x, y), (other_x, other_y)) > radius + other_radius
    for x, y, radius in discs(circle):
        assert radius <= x <= circle.size - radius
        assert radius <= y <= circle.size - radius


@pytest.mark.parametrize("count", range(2, 21))
@pytest.mark.parametrize("outside", [None, 0, 1])
def test_a_name_stays_in_the_picture_and_off_the_next_chair(count, outside):
    circle = seat(chairs(count, outside), names=True)

    for one in circle.seats:
        assert 9 <= one.name_y <= circle.size - 3
        middle_of_name = (one.x, one.name_y - 4)
        for x, y, radius in discs(circle):
            assert dist(middle_of_name, (x, y)) > radius


@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("observers", [1, 2, 5, 12])
@pytest.mark.parametrize("count", [4, 9, 15, 20])
def test_who_observes_sits_outside_and_on_nobody(count, observers, names):
    people = chairs(count, outside=1)
    first = max(2, count - observers)
    people[first:] = [replace(chair, observes=True) for chair in people[first:]]
    circle = seat(people, names=names, room=True)

    middle = (circle.centre, circle.centre)
    outside = [dist((one.x, one.y), middle) for one in circle.seats if one.chair.observes]
    inside = [dist((one.x, one.y), middle) for one in circle.seats if not one.chair.observes]
    assert len(circle.seats) == count
    assert min(outside) > max(inside)
    for (x, y, radius), (other_x, other_y, other_radius) in combinations(discs(circle), 2):
        assert dist((x, y), (other_x, other_y)) > radius + other_radius
    for x, y, radius in discs(circle):
        assert radius <= x <= circle.size - radius
        assert radius <= y <= circle.size - radius


def test_who_observes_is_counted_apart():
    people = [replace(chair, observes=index > 6) for index, chair in enumerate(chairs(9))]
    assert describe(people) == "7 people in the circle; 2 observe from outside"


@pytest.mark.parametrize("count", [0, 1, 21])
def test_a_circle_has_two_to_twenty_chairs(count):
    with pytest.raises(ValueError, match="2 to 20"):
        seat(chairs(count))


def test_chairs_stand_clockwise_from_the_top_in_the_order_given():
    top, right, bottom, left = seat(chairs(4)).seats

    assert [one.chair.name for one in (top, right, bottom, left)] == [
        "Person0",
        "Person1",
        "Person2",
        "Person3",
    ]
    assert top.y < right.y == left.y < bottom.y
    assert left.x < top.x == bottom.x < right.x


def test_who_sits_back_is_outside_the_ring_straight_behind_the_empty_chair():
    circle = seat(chairs(8, outside=3))
    back = circle.seats[3]
    centre = (circle.centre, circle.centre)

    assert back.empty is not None
    assert dist(centre, back.empty) == pytest.approx(circle.ring, abs=0.2)
    assert dist(centre, (back.x, back.y)) > circle.ring + back.radius
    across = (back.x - circle.centre) * (back.empty[1] - circle.centre)
    along = (back.y - circle.centre) * (back.empty[0] - circle.centre)
    assert across == pytest.approx(along, rel=0.01)


def test_with_room_nothing_moves_when_somebody_sits_back():
    before = seat(chairs(8), names=True, room=True)
    after = seat(chairs(8, outside=3), names=True, room=True)

    assert (before.size, before.ring) == (after.size, after.ring)
    for index in (0, 1, 2, 4, 5, 6, 7):
        assert before.seats[index].x == after.seats[index].x
        assert before.seats[index].y == after.seats[index].y


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dr Dana Green", "DG"),
        ("Prof. Dr. Hanna Maria Lind", "HL"),
        ("Amit", "A"),
        ("öz yılmaz", "ÖY"),
        ("Dr", "D"),
        ("", "?"),
    ],
)
def test_initials_leave_titles_out(name, expected):
    assert initials(name) == expected


def test_those_who_share_initials_get_one_more_letter():
    assert initials_of(["Dana Green", "David Gold", "Amit Nader"]) == ["DGr", "DGo", "AN"]


def test_the_drawing_can_be_said_in_words():
    sitting = [Chair("XX", name) for name in NAMES[:3]] + [
        Chair("AN", "Dr Amit Nader", presenter=True, outside=True)
    ]
    assert describe(sitting) == "4 people in the circle; Amit is sitting back"


def test_words_name_who_is_away_who_tells_and_who_is_lost():
    sitting = [
        Chair("RM", "Dr Ruth Marks", "leader"),
        Chair("DG", "Dr Dana Green", away=True),
        Chair("AN", "Dr Amit Nader", presenter=True),
        Chair("JT", "Dr Joan Tal", disconnected=True),
    ]
    assert describe(sitting) == (
        "3 people in the circle; Dana is away; Amit is telling a case; Joan is not connected"
    )
    assert describe(sitting[:1]) == "1 person in the circle"


class Elements(HTMLParser):
    """Every element of a piece of HTML, with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def rendered(tag: str, sitting: list[Chair]) -> str:
    return Template("{% load circle %}" + tag).render(Context({"chairs": sitting}))


def test_the_drawing_is_one_image_with_a_text_alternative_and_no_styles():
    elements = Elements(rendered("{% circle chairs %}", chairs(8, outside=3)))

    (svg,) = elements.of("svg")
    assert svg["role"] == "img"
    assert svg["aria-label"] == "8 people in the circle; Person3 is sitting back"
    assert len(elements.of("text")) == 8
    assert all("style" not in attributes for _, attributes in elements.found)


def test_chairs_differ_by_more_than_colour():
    sitting = [
        Chair("RM", "Ruth", "leader"),
        Chair("DG", "Dana"),
        Chair("OW", "Owen", away=True),
        Chair("AN", "Amit", presenter=True),
        Chair("HL", "Hanna", disconnected=True),
    ]
    classes = [
        one["class"] for one in Elements(rendered("{% circle chairs %}", sitting)).of("circle")
    ]

    assert classes == [
        "ring",
        "chair leader",
        "chair member",
        "chair away",
        "chair presenter",
        "chair inner",
        "chair member lost",
    ]


@pytest.mark.parametrize("count", [0, 1, 21])
def test_too_few_or_too_many_draw_nothing(count):
    assert rendered("{% circle chairs %}", chairs(count)).strip() == ""


def test_a_label_can_be_given():
    (svg,) = Elements(rendered('{% circle chairs label="Your group" %}', chairs(3))).of("svg")
    assert svg["aria-label"] == "Your group"


def test_names_are_written_under_the_chairs():
    drawing = rendered("{% circle chairs names=True %}", [Chair("AB", n) for n in NAMES])
    assert ">Amit</text>" in drawing


def test_names_are_escaped():
    html = rendered("{% circle chairs names=True %}", [Chair("<b", "<b>Eve</b>")] * 2)
    assert "<b>" not in html


@pytest.mark.parametrize("count", [1, 2, 9, 17, 20, 21])
def test_chairs_to_touch_are_labelled_checkboxes_in_order(count):
    sitting = chairs(count)
    elements = Elements(rendered('{% circle_choices chairs "present" legend="Who" %}', sitting))

    boxes = elements.of("input")
    assert [box["value"] for box in boxes] == [str(index) for index in range(count)]
    assert {box["type"] for box in boxes} == {"checkbox"}
    assert {box["name"] for box in boxes} == {"present"}
    assert len(elements.of("label")) == count
    assert len(elements.of("fieldset")) == len(elements.of("legend")) == 1


def test_who_is_away_is_not_ticked():
    sitting = [Chair("RM", "Ruth"), Chair("OW", "Owen", away=True)]
    boxes = Elements(rendered('{% circle_choices chairs "present" %}', sitting)).of("input")
    assert ["checked" in box for box in boxes] == [True, False]


def test_the_whole_name_is_read_out_for_each_chair_to_touch():
    html = rendered('{% circle_choices chairs "present" %}', [Chair("RM", "Dr Ruth Marks")] * 2)
    assert '<span class="visually-hidden">Dr Ruth Marks</span>' in html


def test_where_many_sit_close_long_names_are_shorter():
    people = [replace(chair, name="Maximilian-Jo Berg") for chair in chairs(13)]
    assert seat(people[:12]).seats[0].name == "Maximilian…"
    assert seat(people).seats[0].name == "Maximil…"
