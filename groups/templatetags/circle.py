"""`{% circle %}` draws the ring; `{% circle_choices %}` lets one tick who was there."""

from collections.abc import Sequence
from typing import Any

from django import template

from groups.circle import FEWEST, MOST, SIZE, Chair, describe, seat

register = template.Library()

# More chairs than this need smaller ones, or they would cover each other.
MANY_TO_TOUCH = 14


@register.inclusion_tag("groups/_circle.html")
def circle(
    chairs: Sequence[Chair], label: str = "", names: bool = False, room: bool = False
) -> dict[str, Any]:
    """Inline SVG with a text alternative; nothing at all for fewer than 2 or more than 20."""
    if not FEWEST <= len(chairs) <= MOST:
        return {"circle": None}
    drawing = seat(chairs, SIZE, names=names, room=room)
    return {"circle": drawing, "label": label or describe(chairs), "names": names}


@register.inclusion_tag("groups/_circle_choices.html")
def circle_choices(chairs: Sequence[Chair], field_name: str, legend: str = "") -> dict[str, Any]:
    """Labelled checkboxes on the ring, one per chair, ticked unless the chair is `away`."""
    return {
        "chairs": chairs,
        "field_name": field_name,
        "legend": legend,
        "on_ring": FEWEST <= len(chairs) <= MOST,
        "many": len(chairs) > MANY_TO_TOUCH,
    }
