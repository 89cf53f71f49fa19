"""What the style sheet makes of a page, measured on a phone and on a table."""

from collections.abc import Iterator
from itertools import combinations
from math import dist

import pytest
from django import forms
from django.conf import settings
from django.template import Context, Template
from playwright.sync_api import Browser, Page

from groups.circle import Chair

CSS = (settings.BASE_DIR / "static" / "balint.css").read_text()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
    yield context.new_page()
    context.close()


@pytest.fixture
def table(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    yield context.new_page()
    context.close()


def show(page: Page, source: str, body_class: str = "", **context) -> None:
    html = Template("{% load circle crispy_forms_tags %}" + source).render(Context(context))
    page.set_content(f'<style>{CSS}</style><body class="{body_class}">{html}')


def chairs(count: int) -> list[Chair]:
    return [Chair("AB", f"Person {index}", value=str(index)) for index in range(count)]


CHOICES = '<main class="page"><form class="card">{% circle_choices chairs "there" %}</form></main>'


@pytest.mark.parametrize("count", [2, 9, 14, 15, 20])
def test_chairs_to_touch_do_not_cover_each_other_on_a_phone(phone, count):
    show(phone, CHOICES, chairs=chairs(count))
    boxes = [label.bounding_box() for label in phone.locator(".seat").all()]

    middles = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 360 for box in boxes)
    for one, other in combinations(middles, 2):
        assert dist(one, other) >= boxes[0]["width"]
    assert boxes[0]["width"] >= (44 if count <= 14 else 34)


def test_the_first_chair_stands_at_the_top_and_the_next_to_its_right(phone):
    show(phone, CHOICES, chairs=chairs(4))
    top, right, bottom, left = [label.bounding_box() for label in phone.locator(".seat").all()]
    assert top["y"] < right["y"] < bottom["y"]
    assert left["x"] < top["x"] < right["x"]


def test_a_chair_changes_by_touch_and_by_key(phone):
    show(phone, CHOICES, chairs=chairs(9))
    chair = phone.get_by_label("Person 3")
    phone.locator(".seat").nth(3).tap()
    assert not chair.is_checked()
    chair.press(" ")
    assert chair.is_checked()


class Everything(forms.Form):
    name = forms.CharField(help_text="As people call you.")
    zone = forms.ChoiceField(choices=[("UTC", "UTC")])
    way = forms.ChoiceField(widget=forms.RadioSelect, choices=[("p", "in person"), ("o", "online")])
    agreed = forms.BooleanField()


TOUCHED = """<header class="site-head"><a class="brand" href="/">Balint</a>
<nav class="site-nav"><a href="/" aria-current="page">Next meeting</a></nav>
<details class="account" open><summary>Dr Dana Green</summary>
<div class="menu"><a href="/">Profile</a></div></details></header>
<main class="page"><form>{{ form|crispy }}<button class="button primary">Save</button>
<button class="button quiet">Not now</button></form>
<nav class="tabs"><a href="/">Month</a></nav>
<details class="more"><summary>More</summary></details></main>"""


def test_everything_to_touch_is_at_least_44_pixels_high(phone):
    show(phone, TOUCHED, form=Everything())
    selector = "a, button, summary, input:not([type=radio], [type=checkbox]), select, .choice"
    heights = {
        thing.inner_text() or thing.get_attribute("name"): thing.bounding_box()["height"]
        for thing in phone.locator(selector).all()
    }
    assert len(heights) >= 10
    assert {name: height for name, height in heights.items() if height < 43.9} == {}


LISTING = """<table class="listing"><thead><tr><th>Name</th><th>Role</th></tr></thead>
<tbody><tr><th scope="row">Dr Ruth Marks</th><td data-label="Role">leader</td></tr>
</tbody></table>"""


def test_a_table_becomes_a_list_on_a_phone(phone, table):
    for page, display in ((phone, "block"), (table, "table-row")):
        show(page, LISTING)
        row = page.locator("tbody tr")
        assert row.evaluate("row => getComputedStyle(row).display") == display


MONTH = """<table class="month"><tbody><tr><td><time>16</time></td><td class="busy"><time>
<span class="long">Thursday </span>17</time>
<a class="entry" href="/"><b>19:30</b> Valley group</a></td></tr></tbody></table>"""


def test_a_month_becomes_an_agenda_on_a_phone(phone, table):
    show(phone, MONTH)
    assert [day.is_visible() for day in phone.locator("td").all()] == [False, True]
    assert "Thursday 17" in phone.locator("td").nth(1).inner_text()
    show(table, MONTH)
    assert [day.is_visible() for day in table.locator("td").all()] == [True, True]
    assert "Thursday" not in table.locator("td").nth(1).inner_text()


def test_the_presenters_screen_is_dark_for_everyone(table):
    show(table, '<main class="sitting-back"><h1>You can sit back now.</h1></main>', "dark")
    ground = table.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert ground == "rgb(27, 39, 37)"


def test_what_is_hidden_is_hidden_whatever_it_is(table):
    show(table, '<p class="message" hidden>x</p><button class="button" hidden>y</button>')
    assert not table.locator(".message").is_visible()
    assert not table.locator(".button").is_visible()


def test_on_paper_there_is_no_navigation_and_no_button(table):
    show(table, TOUCHED + '<section class="card">Thursday 21 January</section>', form=Everything())
    table.emulate_media(media="print")
    assert not table.locator(".site-head").is_visible()
    assert not table.locator(".button").first.is_visible()
    assert table.locator(".card").is_visible()


def test_nothing_moves_for_those_who_ask_for_less(browser):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    show(page, '<button class="button hold holding">hold</button>')
    moving = page.locator("button").evaluate(
        "button => getComputedStyle(button).transitionDuration"
    )
    context.close()
    assert moving == "0s"
