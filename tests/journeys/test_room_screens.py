"""Several screens of one room in real browsers: what changes on its own, and what stays put."""

import re

from playwright.sync_api import Page, expect

from sessions.phases import Phase
from tests.journeys.conftest import Site
from tests.sessions.evening import at_phase
from tests.world import make_circle

SOON = 6_000


def hold(page: Page, words: str) -> None:
    """Press and hold until the button acts and the page that follows has come.

    Whichever comes first: the answer, or the screen that heard of the step and looks anew.
    """
    page.get_by_role("button", name=f"hold: {words}").hover()
    with page.expect_event("load"):
        page.mouse.down()
        page.wait_for_timeout(800)
        page.mouse.up()


def test_screens_follow_each_other_and_leave_hands_alone(site: Site):
    circle = make_circle()
    room = f"/sessions/{at_phase(circle, Phase.CALL).pk}/room/"
    leader, second, presenter, member = (
        site.page(person)
        for person in (circle.leader, circle.second_leader, circle.presenter, circle.member)
    )
    wrong: list[str] = []
    for page in (leader, second, presenter, member):
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(room)
    second.get_by_text("The evening").click()
    leader.locator("#who-tells").select_option(label="Amit")
    site.page(circle.absent).goto(room)
    five = re.compile("^5 people in the circle")
    expect(leader.locator("svg.circle")).to_have_attribute("aria-label", five, timeout=SOON)
    expect(leader.locator("#who-tells")).to_have_value(str(circle.presenter.pk))

    hold(leader, "begin the story")
    told = "The story. Amit is telling it."
    expect(second.locator("#sentence")).to_have_text(told, timeout=SOON)
    expect(second.locator("#phases")).to_be_hidden()
    second.get_by_text("Other steps").click()
    second.get_by_role("button", name="The group’s work").click()
    expect(presenter.get_by_role("heading", name="You can sit back now.")).to_be_visible(
        timeout=SOON
    )

    # A screen that no longer asks taps late.
    leader.goto(room)
    leader.locator("#asking").evaluate("element => element.remove()")
    hold(second, "ask Amit back in")
    hold(leader, "ask Amit back in")
    expect(leader.get_by_role("alert")).to_have_text("The session has moved on.")
    back = "Coming back in. Amit has the first word, or none."
    expect(presenter.locator("#sentence")).to_have_text(back, timeout=SOON)

    second.get_by_text("Other steps").click()
    hold(second, "end the meeting")
    for page in (leader, presenter, member):
        expect(page.get_by_text("The meeting is over.")).to_be_visible(timeout=SOON)
    assert wrong == []
