"""An evening online and one in person, in real browsers, by several people at once."""

import re
from datetime import timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from groups.models import Entrance
from sessions.models import Attendance, CasePresentation, Session
from tests.journeys.conftest import Site
from tests.sessions.meetings import make_session
from tests.world import Circle, as_owner, make_circle

TITLE = "The patient with two chairs"


def hold(page: Page, words: str) -> None:
    """Press and hold a quiet button until it acts."""
    button = page.get_by_role("button", name=re.compile(f"^hold: {words}"))
    button.scroll_into_view_if_needed()
    button.hover()
    with page.expect_navigation():
        page.mouse.down()
        page.wait_for_timeout(800)
        page.mouse.up()


def online_circle() -> Circle:
    circle = make_circle()
    with as_owner():
        circle.group.setting = "online"
        # Where today is never a holiday, of which the leader would be told first.
        circle.group.time_zone = "Etc/UTC"
        circle.group.save()
        Entrance.objects.create(group=circle.group, join_link="https://call.example/valley")
    return circle


def add_meeting_soon(page: Page, circle: Circle) -> Session:
    """The leader adds a date that begins in ten minutes, through the page."""
    soon = (timezone.now() + timedelta(minutes=10)).astimezone(ZoneInfo(circle.group.time_zone))
    page.goto(f"/groups/{circle.group.pk}/schedule/new/")
    page.get_by_label("Date").fill(soon.strftime("%Y-%m-%d"))
    page.get_by_label("From").fill(soon.strftime("%H:%M"))
    page.get_by_role("button", name="Save this date").click()
    page.wait_for_url(re.compile("schedule/"))
    with as_owner():
        return Session.objects.get(group=circle.group)


def test_online_evening_from_plan_to_title(site: Site):
    circle = online_circle()
    leader = site.page(circle.leader)
    session = add_meeting_soon(leader, circle)
    room = f"/sessions/{session.pk}/room/"

    absent = site.page(circle.absent)
    absent.goto("/")
    absent.get_by_role("link", name="I can’t come").click()
    absent.get_by_role("button", name="Tell the leaders").click()
    expect(absent.get_by_text("You cannot come. The leaders know.")).to_be_visible()
    leader.goto(f"/sessions/{session.pk}/before/")
    expect(leader.get_by_text("Owen")).to_be_visible()

    presenter, member = site.page(circle.presenter), site.page(circle.member, width=360)
    presenter.goto(room)
    member.goto(room)
    expect(member.get_by_role("link", name="Open the video call")).to_have_attribute(
        "href", "https://call.example/valley"
    )
    leader.goto(room)
    walk_to_the_story(leader, circle.presenter.pk)
    hold(leader, "")
    hold(leader, "")
    expect(leader.locator("#sentence")).to_contain_text("Amit is sitting back")

    expect(presenter.get_by_role("heading", name="You can sit back now.")).to_be_visible()
    expect(member.locator("#sentence")).to_contain_text("Amit is sitting back")
    refused_while_listening(presenter, room)

    hold(leader, "ask Amit back in")
    expect(presenter.get_by_role("heading", name="You can sit back now.")).to_be_hidden()
    hold(leader, "")
    leader.goto(f"/sessions/{session.pk}/afterwards/")
    leader.get_by_role("button", name="Right so").click()
    leader.wait_for_load_state()

    with as_owner():
        case = CasePresentation.objects.get()
        came = set(Attendance.objects.filter(present=True).values_list("member", flat=True))
    assert case.presenter == circle.presenter
    assert {circle.leader.pk, circle.presenter.pk, circle.member.pk} <= came
    assert circle.absent.pk not in came

    presenter.goto(f"/sessions/{session.pk}/")
    presenter.locator(f"a[href='/cases/{case.pk}/']").click()
    presenter.get_by_label(re.compile("title", re.I)).fill(TITLE)
    presenter.get_by_role("button", name="Save").click()
    expect(presenter.get_by_role("heading", name=TITLE)).to_be_visible()
    member.goto(f"/cases/{case.pk}/")
    expect(member.get_by_role("heading", name=TITLE)).to_be_visible()
    nobody_else_sees_it(site, circle, case)


def walk_to_the_story(leader: Page, presenter: UUID) -> None:
    """One quiet step after the other, and who tells; no step is ever required."""
    for _step in range(4):
        if leader.locator("#who-tells").count():
            leader.locator("#who-tells").select_option(str(presenter))
            hold(leader, "")
            break
        hold(leader, "")
    expect(leader.locator("#sentence")).to_contain_text("Amit")


def refused_while_listening(presenter: Page, room: str) -> None:
    """Every POST under the room's addresses but leaving and forgetting is 409 with its sentence."""
    token = presenter.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    for action in ("open", "step", "undo", "presenter", "now", "anything"):
        answer = presenter.request.post(
            f"{room}{action}/",
            form={"csrfmiddlewaretoken": token, "to": "closing", "seen": "1"},
            headers={"Referer": presenter.url, "Origin": presenter.url.split("/sessions")[0]},
        )
        assert answer.status == 409, action
        assert "You are sitting back and owe nothing." in answer.text()


def nobody_else_sees_it(site: Site, circle: Circle, case: CasePresentation) -> None:
    """Absent member, absent leader, outsider, admin, superuser: the 404 of nothing."""
    for person in (
        circle.absent,
        circle.second_leader,
        circle.outsider,
        circle.admin,
        circle.superuser,
        circle.former,
    ):
        page = site.page(person)
        answer = page.request.get(f"/cases/{case.pk}/")
        nothing = page.request.get(f"/cases/{uuid4()}/")
        assert (answer.status, answer.body()) == (404, nothing.body()), person.name


def test_in_person_evening_without_one_tap_is_put_down_next_day(site: Site):
    circle = make_circle()
    begun = (timezone.now() - timedelta(hours=20)).replace(minute=0, second=0, microsecond=0)
    session = make_session(circle.group, begun)
    member = site.page(circle.member)
    member.goto(f"/sessions/{session.pk}/room/")

    leader = site.page(circle.leader)
    leader.goto("/")
    taps = Taps(leader)
    taps.tap(leader.locator(f"main a[href='/sessions/{session.pk}/afterwards/']").first)
    leader.get_by_label("A case, told by").first.select_option(str(circle.presenter.pk))
    taps.tap(leader.get_by_role("button", name="Right so"))
    assert taps.count <= 2

    with as_owner():
        session.refresh_from_db()
        case = CasePresentation.objects.get()
        assert session.phase == "closed"
        assert Attendance.objects.filter(session=session, present=True).count() == 5
    assert case.presenter == circle.presenter
    member.goto(f"/cases/{case.pk}/")
    expect(member.get_by_text("Seen only by those who were present for it.")).to_be_visible()


class Taps:
    """How often a finger was needed."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def tap(self, target) -> None:
        self.count += 1
        target.click()
        self.page.wait_for_load_state()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_member_in_person_sees_only_that_the_group_meets(site: Site, scheme):
    circle = make_circle()
    session = make_session(circle.group, timezone.now() - timedelta(minutes=20))
    member = site.page(circle.member, width=360, color_scheme=scheme)
    member.goto(f"/sessions/{session.pk}/room/")
    expect(member.get_by_text("The group is meeting.")).to_be_visible()
    assert member.locator("form, button").count() == 0
