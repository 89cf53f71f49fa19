"""Our select writes what Django's own writes, only faster."""

import re
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates, TemplatesSetting

from groups.zones import zone_choices

CHOICES: dict[str, Any] = {
    "plain": [("1", "one"), ("2", "two & <more>")],
    "empty": [("", "---------"), (3, "three")],
    "in groups": [("Near", [("a", "A"), ("b", "B")]), ("c", "C")],
    "zones": zone_choices("Asia/Jerusalem"),
}


def written(html: str) -> list[str]:
    return re.findall(r"<[^>]+>|[^<>\s][^<>]*", html)


@pytest.mark.parametrize("choices", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("value", ["", "2", "b", 3, "Asia/Jerusalem", None])
def test_a_select_says_what_djangos_own_says(choices, value):
    select = forms.Select(attrs={"required": True, "aria-describedby": "x"}, choices=choices)
    ours = select.render("zone", value, {"id": "id_zone"}, TemplatesSetting())
    django = select.render("zone", value, {"id": "id_zone"}, DjangoTemplates())
    assert written(ours) == written(django)


def test_a_select_of_several_says_what_djangos_own_says():
    select = forms.SelectMultiple()
    select.choices = CHOICES["in groups"]
    ours = select.render("days", ["a", "c"], None, TemplatesSetting())
    assert written(ours) == written(select.render("days", ["a", "c"], None, DjangoTemplates()))
    assert ours.count("selected") == 2
