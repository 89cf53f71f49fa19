"""The year of a monthly group from an empty group: proposed, answered and settled, by keyboard."""

from datetime import date

from django.db.models import F
from playwright.sync_api import Page, expect

from members.models import Member
from sessions.models import Answer, Session
from tests.journeys.conftest import Site
from tests.world import Circle, as_owner, make_circle

YEAR = date.today().year + 1
STEPS = 80


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there; a thing the keyboard does not reach fails."""
    for _step in range(STEPS):
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached on {page.url}")


def press(page: Page, selector: str, key: str = "Enter") -> None:
    tab_to(page, selector)
    page.keyboard.press(key)
    page.wait_for_load_state()


def type_into(page: Page, selector: str, keys: str) -> None:
    tab_to(page, selector)
    page.keyboard.type(keys)


def fits(page: Page) -> None:
    """Nothing of the page runs out to the side, wide or on a phone."""
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 860})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width


def test_a_year_is_proposed_answered_and_settled_by_keyboard_alone(site: Site):
    circle = make_circle()
    leader, member = site.page(circle.leader), site.page(circle.member)
    with as_owner():  # Whoever runs this at night reads the mail at night.
        Member.objects.filter(pk=circle.member.pk).update(quiet_until=F("quiet_from"))
    propose_the_year(leader, circle)
    asked = site.mail(circle.member.email)[-1].get_body(("plain",)).get_content()
    assert f"/groups/{circle.group.pk}/dates/" in asked
    mark_two_dates(member, circle)
    settle(leader, circle)
    told = site.mail(circle.member.email)[-1]
    assert told["Subject"] == "Valley: the dates"
    assert told.get_body(("plain",)).get_content().count("Jerusalem time") == 12
    with as_owner():
        assert Session.objects.filter(group=circle.group, settled_at=None).count() == 0
        assert Answer.objects.filter(member=circle.member).count() == 2


def propose_the_year(leader: Page, circle: Circle) -> None:
    leader.goto(f"/groups/{circle.group.pk}/schedule/")
    press(leader, "details.more > summary")
    type_into(leader, "input[name=first_on]", f"0101{YEAR}")
    type_into(leader, "input[name=last_on]", f"1231{YEAR}")
    expect(leader.get_by_role("button", name="Propose these 12 dates")).to_be_visible()
    fits(leader)
    press(leader, "button[formaction]")
    expect(leader.get_by_role("heading", name="Settle the dates")).to_be_visible()


def mark_two_dates(member: Page, circle: Circle) -> None:
    member.goto("/")
    press(member, f'main a[href="/groups/{circle.group.pk}/dates/"]')
    expect(member.get_by_role("heading", name="Which dates can you not?")).to_be_visible()
    fits(member)
    press(member, "#cannot-2", "Space")
    press(member, "#cannot-7", "Space")
    press(member, "main form button.primary")
    expect(member.get_by_text("The leaders know which dates you cannot.")).to_be_visible()


def settle(leader: Page, circle: Circle) -> None:
    leader.goto("/")
    press(leader, f'main a[href="/groups/{circle.group.pk}/dates/settle/"]')
    expect(leader.get_by_role("heading", name="Settle the dates")).to_be_visible()
    expect(leader.get_by_text("1 cannot").first).to_be_visible()
    expect(leader.get_by_text("Valley meets on:")).to_be_visible()
    fits(leader)
    press(leader, "main form button.primary")
    expect(leader.get_by_text("12 dates are settled.")).to_be_visible()
