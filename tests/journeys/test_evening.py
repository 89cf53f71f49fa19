"""An evening online and one in person, in real browsers, by several people at once."""

import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.utils import timezone
from playwright.sync_api import Page, expect

from groups.models import Entrance
from members.models import Member
from sessions.models import Attendance, CasePresentation, Session, SteppedOut
from tests.journeys.conftest import Site
from tests.sessions.meetings import make_session
from tests.world import Circle, as_owner, join, make_circle, make_member

TITLE = "The patient with two chairs"
# A stream brings a change at once; a browser that has to ask does so every three seconds.
SOON, AFTER_A_RESTART = 6_000, 12_000
LONGER_THAN_A_SCREEN_ASKS = 4_000
# With eight chairs and the list of phases, it fits beside the call on a laptop.
STRIP = 760


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


@dataclass
class Screens:
    """The pages of one evening, by name, and what went wrong in any of them."""

    site: Site
    circle: Circle
    session: Session
    pages: dict[str, Page]
    wrong: list[str]

    def __getattr__(self, name: str) -> Page:
        return self.pages[name]

    @property
    def room(self) -> str:
        return f"/sessions/{self.session.pk}/room/"

    def come(self, name: str, person: Member, *, width: int = 1280) -> Page:
        """Somebody opens the room on a browser of their own."""
        page = self.site.page(person, width=width)
        page.on("pageerror", lambda error: self.wrong.append(f"{name}: {error}"))
        page.goto(self.room)
        self.pages[name] = page
        return page

    def all_say(self, sentence: str, *but: str, within: int = SOON) -> None:
        """Everyone's strip says it in time, at 360 pixels without scrolling sideways."""
        for name, page in self.pages.items():
            if name not in but:
                expect(page.locator("#sentence")).to_have_text(sentence, timeout=within)
                assert fits(page), name


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def sits_back(page: Page) -> None:
    expect(page.get_by_role("heading", name="You can sit back now.")).to_be_visible(timeout=SOON)
    assert page.locator("#sentence, [data-clock]").count() == 0
    assert fits(page)


def test_online_evening_from_plan_to_title(site: Site):
    circle = online_circle()
    latecomer = make_member("Dr Priya Bose", time_zone="Asia/Jerusalem")
    join(circle.group, latecomer)
    leader, browser = site.mortal_page(circle.leader)
    try:
        session = add_meeting_soon(leader, circle)
        says_no(site, circle, leader, session)
        evening = Screens(site, circle, session, {"leader": leader}, [])
        arrive(evening)
        first_case(evening, latecomer)
    finally:
        browser.kill()
        browser.wait()
    del evening.pages["leader"]
    second_case(evening)
    puts_down(evening)
    assert evening.wrong == []


def arrive(evening: Screens) -> None:
    """Everyone but one comes in; what the call needs is said before it."""
    circle, leader, session = evening.circle, evening.leader, evening.session
    leader.goto(evening.room)
    expect(leader.locator("#watch")).to_have_text("Not here yet: Erik, Amit, Dana and Priya")
    evening.come("second", circle.second_leader, width=360)
    evening.come("presenter", circle.presenter)
    member = evening.site.page(circle.member, width=360)
    member.goto(f"/sessions/{session.pk}/")
    expect(member.get_by_text("No recorder runs, and no AI helper is in the call.")).to_be_visible()
    evening.come("member", circle.member, width=360)
    expect(evening.member.get_by_role("link", name="Open the video call")).to_have_attribute(
        "href", "https://call.example/valley"
    )
    expect(leader.locator("#watch")).to_have_text("Not here yet: Priya", timeout=SOON)


def says_no(site: Site, circle: Circle, leader: Page, session: Session) -> None:
    """Who cannot come says so, and the leaders read it before the door."""
    absent = site.page(circle.absent)
    absent.goto("/")
    absent.get_by_role("link", name="I can’t come").click()
    absent.get_by_role("button", name="Tell the leaders").click()
    expect(absent.get_by_text("You cannot come. The leaders know.")).to_be_visible()
    leader.goto(f"/sessions/{session.pk}/before/")
    expect(leader.get_by_text("Owen")).to_be_visible()


def first_case(evening: Screens, latecomer: Member) -> None:
    """A follow-up is asked for, Amit tells; one comes late, and the server is restarted."""
    leader = evening.leader
    for words in ("open the meeting", "ask for a follow-up report", "ask who has a case"):
        hold(leader, words)
    evening.all_say("The call. Who has a case?")
    leader.locator("#who-tells").select_option(label="Amit")
    hold(leader, "begin the story")
    evening.all_say("The story. Amit is telling it.")
    evening.come("latecomer", latecomer, width=360)
    five = re.compile("^5 people in the circle")
    for page in evening.pages.values():
        expect(page.locator("svg.circle")).to_have_attribute("aria-label", five, timeout=SOON)

    hold(evening.second, "go on to questions of fact")
    evening.all_say("Questions of fact, to Amit.")
    hold(leader, "let Amit sit back")
    evening.all_say("The group’s work. Amit is sitting back.", "presenter")
    strip = leader.locator("main").bounding_box()
    assert strip["height"] <= STRIP, strip
    sits_back(evening.presenter)
    refused_while_listening(evening.presenter, evening.room)

    evening.site.server.restart()
    hold(evening.second, "ask Amit back in")
    back = "Coming back in. Amit has the first word, or none."
    evening.all_say(back, within=AFTER_A_RESTART)


def second_case(evening: Screens) -> None:
    """Dana tells, and one leader leads, the other's browser being dead; one steps out."""
    second = evening.second
    second.get_by_text("Other steps").click()
    with second.expect_navigation():
        second.get_by_role("button", name="A second case: the call").click()
    evening.all_say("The call. Who has a case?")
    second.locator("#who-tells").select_option(label="Dana")
    hold(second, "begin the story")
    evening.all_say("The story. Dana is telling it.")

    out = evening.latecomer
    out.get_by_role("link", name="I know this patient").click()
    out.get_by_role("button", name="Step out").click()
    expect(out.get_by_role("heading", name="You have stepped out of this case.")).to_be_visible()
    four = re.compile("Priya is away")
    for page in (second, evening.presenter, evening.member):
        expect(page.locator("svg.circle")).to_have_attribute("aria-label", four, timeout=SOON)
    hold(second, "go on to questions of fact")
    hold(second, "let Dana sit back")
    evening.all_say("The group’s work. Dana is sitting back.", "member", "latecomer")
    sits_back(evening.member)
    expect(out.get_by_role("heading", name="You have stepped out of this case.")).to_be_visible()
    assert "Dana" not in out.locator("body").inner_text()
    hold(second, "ask Dana back in")
    hold(second, "go on to closing")
    evening.all_say("Closing. A few words on the meeting.")
    hold(second, "end the meeting")
    for page in evening.pages.values():
        expect(page.get_by_text("The meeting is over.")).to_be_visible(timeout=SOON)


def puts_down(evening: Screens) -> None:
    """The leader who is left says that all is right; each case is known to who heard it."""
    circle, site, second = evening.circle, evening.site, evening.second
    second.goto(f"/sessions/{evening.session.pk}/afterwards/")
    second.get_by_role("button", name="Right so").click()
    second.wait_for_load_state()
    with as_owner():
        came = set(Attendance.objects.filter(present=True).values_list("member__name", flat=True))
        first, case = CasePresentation.objects.order_by("order")
        heard = [
            set(told.presences.values_list("member__name", flat=True)) for told in (first, case)
        ]
        assert not SteppedOut.objects.exclude(member__name="Dr Priya Bose").exists()
    assert (first.presenter, case.presenter) == (circle.presenter, circle.member)
    here = {str(who) for who in (circle.leader, circle.second_leader, circle.presenter)}
    assert came == heard[0] == here | {str(circle.member), "Dr Priya Bose"}
    assert heard[1] == came - {"Dr Priya Bose"}

    presenter, latecomer = evening.presenter, evening.latecomer
    presenter.goto(f"/cases/{first.pk}/")
    presenter.get_by_label(re.compile("title", re.I)).fill(TITLE)
    presenter.get_by_role("button", name="Save").click()
    expect(presenter.get_by_role("heading", name=TITLE)).to_be_visible()
    latecomer.goto(f"/cases/{first.pk}/")
    expect(latecomer.get_by_role("heading", name=TITLE)).to_be_visible()
    assert latecomer.goto(f"/cases/{case.pk}/").status == 404
    nobody_else_sees_it(site, circle, case)


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
    """Absent member, outsider, admin, superuser: the 404 of nothing."""
    for person in (
        circle.absent,
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


def test_in_person_all_phones_are_away_and_nothing_moves_on_any_of_them(site: Site):
    circle = make_circle()
    session = make_session(circle.group, timezone.now() - timedelta(minutes=20))
    people = {circle.member: "dark", circle.presenter: "light", circle.leader: "light"}
    pages = [site.page(who, width=360, color_scheme=scheme) for who, scheme in people.items()]
    for page in pages:
        page.goto("/")
        expect(page.get_by_text("The group is meeting").first).to_be_visible()
        page.goto(f"/sessions/{session.pk}/room/")
        expect(page.get_by_role("heading", name="The group is meeting.")).to_be_visible()
        assert page.locator("form, button, script").count() == 0
    leader = pages[-1]
    leader.get_by_role("link", name="A dim clock and the phases").click()
    expect(leader.locator("[data-clock]")).to_be_visible()
    expect(leader.get_by_text("Closing")).to_be_hidden()
    asked: list[str] = []
    for page in pages:
        assert fits(page)
        page.on("request", lambda request: asked.append(request.url))
    leader.wait_for_timeout(LONGER_THAN_A_SCREEN_ASKS)
    assert asked == []
