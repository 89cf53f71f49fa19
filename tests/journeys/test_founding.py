"""From an empty installation to a first planned year, by the command, mails and pages alone."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from sessions.models import Session
from tests.journeys.conftest import Site
from tests.sessions.files import instants
from tests.world import as_owner

PASSWORD = "a long and quiet word"
NEW_YORK = ZoneInfo("America/New_York")
DAYS = [(3, 23), (4, 27), (5, 25), (6, 22), (7, 27), (8, 24), (9, 28), (10, 26)]


def found_in(pattern: str, text: str) -> str:
    """The first text that fits; a journey without it has failed."""
    match = re.search(pattern, text)
    assert match, text
    return match.group()


def make_account(page: Page, link: str, name: str) -> None:
    page.goto(link)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Accept the invitation").click()
    page.wait_for_load_state()


def test_an_empty_installation_comes_to_its_first_planned_year(site: Site):
    printed = site.manage("found", "--programme", "North programme", "--admin", "noa@example.org")
    admin = site.page()
    make_account(admin, found_in(r"http\S+", printed), "Noa Levi")
    found_a_group(admin)

    leader = site.page()
    make_account(leader, site.link_in_mail("ruth@example.org", "/invitations/"), "Dr Ruth Marks")
    leader.get_by_role("button", name="I agree").click()
    leader.wait_for_load_state()
    plan_the_american_year(leader)

    member = site.page()
    invite_a_member(leader)
    make_account(member, site.link_in_mail("dana@example.org", "/invitations/"), "Dr Dana Green")
    member.get_by_role("button", name="I agree").click()
    member.wait_for_load_state()
    expect(member.get_by_text("We expect you.")).to_be_visible()
    assert feed_of(member) == [
        (datetime(2027, month, day, 19, tzinfo=NEW_YORK), 90 if number == 0 else 60)
        for number, (month, day) in enumerate(DAYS)
    ]


def found_a_group(admin: Page) -> None:
    admin.get_by_role("link", name="New group").click()
    admin.get_by_label("Name", exact=True).fill("Residents’ group")
    admin.get_by_label("Time zone").select_option("America/New_York")
    admin.get_by_role("button", name="Make the group").click()
    admin.get_by_role("link", name="Propose someone").first.click()
    admin.get_by_label("E-mail").fill("ruth@example.org")
    admin.get_by_label("As", exact=True).select_option("leader")
    admin.get_by_role("button", name="Propose").click()
    admin.wait_for_load_state()


def plan_the_american_year(leader: Page) -> None:
    """One page from an empty group to a saved year; then the first meeting gets 90 minutes."""
    leader.goto("/groups/")
    leader.get_by_role("link", name="Residents’ group").first.click()
    leader.goto(f"{leader.url}schedule/")
    shown = leader.locator("form .field:visible, form [data-field]:visible")
    assert 0 < shown.count() <= 6
    leader.locator("select[name=rule]").select_option("month:1:1:4")
    leader.locator("input[name=starts_at]").fill("19:00")
    leader.locator("input[name=minutes]").fill("60")
    leader.get_by_text("First and last date").click()
    leader.get_by_label("First date").fill("2027-03-01")
    leader.get_by_label("Last date").fill("2027-10-31")
    leader.get_by_role("button", name="Show these dates").click()
    leader.get_by_role("button", name="Save these 8 dates").click()
    leader.wait_for_load_state()
    leader.get_by_role("link", name="change").first.click()
    leader.get_by_label(re.compile("^For")).fill("90")
    leader.get_by_role("button", name="Save the change").click()
    leader.wait_for_load_state()
    with as_owner():
        held = Session.objects.order_by("starts_at")
        assert [session.starts_at for session in held] == [
            datetime(2027, month, day, 19, tzinfo=NEW_YORK).astimezone(UTC) for month, day in DAYS
        ]
        assert [session.minutes for session in held] == [90, *[60] * 7]


def invite_a_member(leader: Page) -> None:
    leader.goto("/groups/")
    leader.get_by_role("link", name="Residents’ group").first.click()
    leader.goto(f"{leader.url}propose/")
    leader.get_by_label("E-mail").fill("dana@example.org")
    leader.get_by_role("button", name="Send the invitation").click()
    leader.wait_for_load_state()


def feed_of(member: Page) -> list[tuple[datetime, int]]:
    """The person's own feed, read back by other libraries: instants and minutes."""
    member.goto("/settings/calendar/")
    member.locator("main form button").first.click()
    member.wait_for_load_state()
    address = found_in(r"http\S+?/balint\.ics", member.content())
    events = sorted(instants(member.request.get(address).body()))
    return [(start, (end - start).seconds // 60) for start, end in events]
