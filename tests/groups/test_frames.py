"""Making and editing groups: what the office may, what the leaders may, what nobody may."""

from typing import Any

import pytest
from django.utils import timezone

from groups import frames, joining
from groups.models import (
    Entrance,
    Group,
    Membership,
)
from tests.world import as_member, as_owner, make_group

pytestmark = pytest.mark.reads_context

NOT_LEADERS = ["member", "newcomer", "on_leave", "former", "admin", "outsider", "superuser"]
STATUS = dict.fromkeys(NOT_LEADERS, 404) | {"newcomer": 302}


def edit_url(circle) -> str:
    return f"/groups/{circle.group.pk}/edit/"


def typed(circle, client_of, **changes: Any) -> dict[str, Any]:
    """What a browser would send from the untouched page, with these changes."""
    context = client_of(circle.leader).get(edit_url(circle)).context
    data = {}
    for form in (context["frame"], context["inside"], context["evening"]):
        for field in form:
            value = field.value()
            if value is not None and value is not False:
                data[field.name] = "on" if value is True else value
    return {name: value for name, value in (data | changes).items() if value is not None}


def post(circle, client_of, who: str = "leader", **changes: Any):
    data = typed(circle, client_of, **changes)
    return client_of(getattr(circle, who)).post(edit_url(circle), data)


def fresh(circle) -> Group:
    with as_owner():
        return Group.objects.get(pk=circle.group.pk)


# Made


def test_the_office_makes_groups_in_its_own_programmes_alone(circle):
    with as_owner():
        other = make_group().programme
    with as_member(circle.admin, "balint_roster"):
        made = frames.create_group(
            circle.programme, by=circle.admin, at=timezone.now(), name="New group"
        )
        assert made.programme == circle.programme
        with pytest.raises(frames.NotYours):
            frames.create_group(other, by=circle.admin, at=timezone.now(), name="New group")


@pytest.mark.parametrize("who", ["leader", "member", "outsider", "superuser"])
def test_nobody_else_makes_groups(circle, who):
    with pytest.raises(frames.NotYours), as_member(getattr(circle, who)):
        frames.create_group(
            circle.programme, by=getattr(circle, who), at=timezone.now(), name="New group"
        )


# Edited


@pytest.mark.parametrize("who", NOT_LEADERS)
def test_the_leaders_page_is_the_leaders(circle, client_of, who):
    data = typed(circle, client_of, name="Renamed")
    client = client_of(getattr(circle, who))
    assert client.get(edit_url(circle)).status_code == STATUS[who]
    assert client.post(edit_url(circle), data).status_code == STATUS[who]
    assert fresh(circle).name == "Valley group"


def test_one_page_saves_frame_and_inside_together(circle, client_of):
    answer = post(
        circle,
        client_of,
        name="Hill group",
        setting="online",
        time_zone="Europe/London",
        cap=8,
        contact="Ruth, 052 555 0100",
        alias="Hill",
        join_link="https://meet.example.org/hill",
        door="4471#",
        sits_back=None,
        shows_absences="on",
        keeps_cases_days=60,
        minutes_story=15,
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, edit_url(circle))
    group = fresh(circle)
    assert (group.name, group.setting, group.time_zone) == ("Hill group", "online", "Europe/London")
    assert (group.cap, group.contact, group.alias) == (8, "Ruth, 052 555 0100", "Hill")
    assert (group.asks_questions, group.sits_back, group.shows_absences) == (True, False, True)
    assert group.keeps_cases_days == 60
    assert group.minutes == {"story": 15}
    with as_owner():
        entrance = Entrance.objects.get(group=group)
    assert (entrance.join_link, entrance.door) == ("https://meet.example.org/hill", "4471#")


def test_the_usual_minutes_are_not_stored(circle, client_of):
    assert post(circle, client_of).status_code == 302
    assert fresh(circle).minutes == {}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cap": 16}, "A group has room for 2 to 15 members."),
        ({"cap": 1}, "A group has room for 2 to 15 members."),
        ({"keeps_cases_days": 6}, "A case is kept for 7 to 365 days."),
        ({"keeps_cases_days": 366}, "A case is kept for 7 to 365 days."),
        ({"time_zone": "Mars/Base"}, "Select a valid choice."),
        ({"join_link": "no link"}, "Enter a valid URL."),
        ({"minutes_story": -1}, "greater than or equal to 0"),
        ({"name": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(circle, client_of, changes, sentence):
    answer = post(circle, client_of, contact="Typed with care", **changes)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert sentence in html
    assert "Typed with care" in html
    assert fresh(circle).contact == ""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cap": 4}, "5 places are taken, by members and by newcomers invited already."),
        ({"keeps_cases_days": 121}, "Choose at most 120 days."),
    ],
)
def test_what_is_refused_saves_nothing_at_all(circle, client_of, changes, sentence):
    answer = post(circle, client_of, contact="Typed with care", **changes)
    assert answer.status_code == 409
    assert sentence in answer.content.decode()
    assert "Typed with care" in answer.content.decode()
    assert fresh(circle).contact == ""


def test_room_cannot_shrink_below_members_and_newcomers_invited(circle):
    with as_member(circle.leader):
        joining.propose(
            circle.group,
            address="new@example.org",
            role="member",
            by=circle.leader,
            at=timezone.now(),
        )
        with pytest.raises(frames.MoreMembersThanThat, match="6 places"):
            frames.edit_frame(circle.group, by=circle.leader, at=timezone.now(), cap=5)
        frames.edit_frame(circle.group, by=circle.leader, at=timezone.now(), cap=6)
    assert fresh(circle).cap == 6


def test_the_office_edits_the_frame_and_nothing_inside(circle):
    now = timezone.now()
    with as_member(circle.admin, "balint_roster"):
        frames.edit_frame(
            circle.group,
            by=circle.admin,
            at=now,
            office=True,
            name="Hill group",
            alias="Hill",
            keeps_cases_days=7,
        )
    group = fresh(circle)
    assert (group.name, group.alias, group.keeps_cases_days) == ("Hill group", "Valley", 120)
    with pytest.raises(frames.NotYours), as_member(circle.admin):
        frames.edit_inside(circle.group, by=circle.admin, at=now, entrance={}, alias="Hill")


def test_shorter_is_always_possible_and_longer_only_alone(circle):
    now = timezone.now()
    with as_member(circle.leader):
        frames.edit_inside(circle.group, by=circle.leader, at=now, entrance={}, keeps_cases_days=30)
        with pytest.raises(frames.KeepingLongerNeedsAll):
            frames.edit_inside(
                circle.group, by=circle.leader, at=now, entrance={}, keeps_cases_days=31
            )
    with as_owner():
        Membership.objects.exclude(member=circle.leader).update(ended_at=now)
    with as_member(circle.leader):
        frames.edit_inside(circle.group, by=circle.leader, at=now, entrance={}, keeps_cases_days=31)
    assert fresh(circle).keeps_cases_days == 31
