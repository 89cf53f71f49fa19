"""Breaks as people type them, and what they read when we do not understand."""

from datetime import date, timedelta

import pytest
from django.utils.translation import override
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from groups.cadence import (
    Break,
    BreakCannotBe,
    CadenceCannotBe,
    format_breaks,
    parse_breaks,
    stored_breaks,
)

YEAR = (date(2027, 1, 1), date(2027, 12, 31))
SCHOOL_YEAR = (date(2026, 9, 1), date(2027, 6, 30))
SUMMER = Break(date(2027, 7, 15), date(2027, 8, 31), "summer")
HOW = "Write a break like “15 Jul – 31 Aug summer”, with a semicolon between two."

days = st.dates(date(2026, 1, 1), date(2035, 12, 31))
names = st.text(st.characters(categories=["L"]), max_size=12)


@pytest.mark.parametrize(
    "text",
    [
        "15 Jul – 31 Aug summer",
        "15 Jul - 31 Aug summer",
        "15 jul–31 aug summer",
        "15 July to 31 August summer",
        "15th of July until 31st of August: summer",
        "July 15 – August 31 (summer)",
        "Jul. 15, 2027 – Aug. 31, 2027 summer",
        "15 Jul 2027 – 31 Aug 2027 summer",
        "15 Jul – 31 Aug 2027 summer",
        "15 Jul 2027 – 31 Aug summer",
        "2027-07-15 – 2027-08-31 summer",
        "2027-07-15 to 2027-08-31 summer",
        "2027-07-15-2027-08-31 summer",
        "summer: 15 Jul – 31 Aug",
        "summer, from 15 Jul to 31 Aug",
        " ; 15 Jul – 31 Aug summer ;\n",
    ],
)
def test_one_summer_written_in_many_ways(text: str):
    assert parse_breaks(text, *YEAR) == (SUMMER,)


@pytest.mark.parametrize(
    ("text", "first", "last", "name"),
    [
        ("15 – 31 Aug", (8, 15), (8, 31), ""),
        ("Aug 15–31 away", (8, 15), (8, 31), "away"),
        ("24 Sept", (9, 24), (9, 24), ""),
        ("Passover: 22 Apr – 28 Apr", (4, 22), (4, 28), "Passover"),
        ("1 Feb – 29 Feb", (2, 1), (2, 28), ""),
        ("3 May Mayday", (5, 3), (5, 3), "Mayday"),
        ("1 Feb – 30 Nov a year away", (2, 1), (11, 30), "a year away"),
    ],
)
def test_short_ways_of_writing(text: str, first: tuple[int, int], last: tuple[int, int], name: str):
    assert parse_breaks(text, *YEAR) == (Break(date(2027, *first), date(2027, *last), name),)


def test_several_breaks_by_semicolon_or_line_come_in_order_and_once():
    winter = Break(date(2026, 12, 20), date(2027, 1, 6))
    spring = Break(date(2027, 4, 1), date(2027, 4, 9), "spring")
    typed = "1 – 9 Apr spring; 20 Dec – 6 Jan\n1 – 9 April spring"
    assert parse_breaks(typed, *SCHOOL_YEAR) == (winter, spring)
    assert parse_breaks("", *SCHOOL_YEAR) == ()


def test_a_break_without_a_year_is_every_years_break_that_touches_the_plan():
    assert parse_breaks("20 Dec – 6 Jan", *YEAR) == (
        Break(date(2026, 12, 20), date(2027, 1, 6)),
        Break(date(2027, 12, 20), date(2028, 1, 6)),
    )
    assert parse_breaks("20 Dec 2027 – 6 Jan", *YEAR) == (
        Break(date(2027, 12, 20), date(2028, 1, 6)),
    )
    assert parse_breaks("20 Dec – 6 Jan 2027", *YEAR) == (
        Break(date(2026, 12, 20), date(2027, 1, 6)),
    )


def test_a_break_outside_the_plan_is_kept_for_the_next_year():
    assert parse_breaks("15 Jul – 31 Aug summer", *SCHOOL_YEAR) == (SUMMER,)
    assert parse_breaks("29 Feb", *YEAR) == (Break(date(2028, 2, 29), date(2028, 2, 29)),)


@pytest.mark.parametrize(
    ("text", "part", "advice"),
    [
        ("summer", "summer", HOW),
        ("15 Jul – 31 Auk", "15 Jul – 31 Auk", HOW),
        ("15 Jul –", "15 Jul –", HOW),
        ("24 Dec – New Year", "24 Dec – New Year", HOW),
        ("15 Jul 31 Aug", "15 Jul 31 Aug", HOW),
        ("4 – Jul 15", "4 – Jul 15", HOW),
        ("to the sea 24 Dec", "to the sea 24 Dec", HOW),
        ("15 Jul – 31 Aug, 20 Dec – 6 Jan", "15 Jul – 31 Aug, 20 Dec – 6 Jan", HOW),
        ("15 Jul – 31 Aug summer; 15/7", "15/7", HOW),
        ("off 15 Jul – 31 Aug summer", "off 15 Jul – 31 Aug summer", HOW),
        ("15 Jul – 31 Aug 20277", "15 Jul – 31 Aug 20277", HOW),
        ("31 Jun – 4 Jul", "31 Jun – 4 Jul", "There is no such day."),
        ("0 – 4 Jul", "0 – 4 Jul", "There is no such day."),
        ("29 Feb 2027", "29 Feb 2027", "There is no such day."),
        ("29 Feb; 2027-13-01", "2027-13-01", "There is no such day."),
        ("31 Aug – 15 Jul", "31 Aug – 15 Jul", "A break cannot end before it begins."),
        (
            "31 Aug 2027 – 15 Jul 2027",
            "31 Aug 2027 – 15 Jul 2027",
            "A break cannot end before it begins.",
        ),
    ],
)
def test_what_is_not_understood_is_named_with_what_to_write(text: str, part: str, advice: str):
    with pytest.raises(BreakCannotBe) as refusal:
        parse_breaks(text, *YEAR)
    assert str(refusal.value) == f"“{part}” was not understood. {advice}"


def test_a_break_that_ends_before_it_begins_cannot_be():
    with pytest.raises(CadenceCannotBe) as refusal:
        Break(SUMMER.last, SUMMER.first)
    assert str(refusal.value) == "A break cannot end before it begins."


def test_breaks_are_shown_as_short_as_they_can_be_read_back():
    typed = "20 Dec – 6 Jan; 15 Jul – 31 Aug summer"
    assert format_breaks(parse_breaks(typed, *YEAR), *YEAR) == typed
    only_one = (Break(date(2027, 12, 20), date(2028, 1, 6)),)
    assert format_breaks(only_one, *YEAR) == "20 Dec 2027 – 6 Jan 2028"
    assert format_breaks((Break(date(2027, 5, 3), date(2027, 5, 3), "off"),), *YEAR) == "3 May off"


def test_a_name_loses_what_could_not_be_read_back():
    named = Break(date(2027, 5, 3), date(2027, 5, 3), "week 18; off")
    assert format_breaks((named,), *YEAR) == "3 May 2027 week   off"
    assert stored_breaks((named,)) == "2027-05-03 – 2027-05-03 week   off"


def test_the_months_of_the_readers_language_are_understood_and_shown():
    with override("de"):
        summer = parse_breaks("15. Juli – 31. August Sommer", *YEAR)
        assert summer == (Break(SUMMER.first, SUMMER.last, "Sommer"),)
        assert parse_breaks("20 Dez – 22 Dec", *YEAR) == (
            Break(date(2027, 12, 20), date(2027, 12, 22)),
        )
        assert format_breaks(parse_breaks("20 Dez", *YEAR), *YEAR) == "20 Dez"


def test_what_the_database_keeps_is_read_alike_in_every_language_and_plan():
    with override("de"):
        kept = stored_breaks(parse_breaks("15 Okt – 16 Okt Herbst", *YEAR))
    assert kept == "2027-10-15 – 2027-10-16 Herbst"
    assert parse_breaks(kept, *SCHOOL_YEAR) == (
        Break(date(2027, 10, 15), date(2027, 10, 16), "Herbst"),
    )


@st.composite
def some_breaks(draw: st.DrawFn) -> tuple[Break, ...]:
    spans = draw(st.lists(st.tuples(days, st.integers(0, 200), names), max_size=5))
    return tuple(sorted({Break(on, on + timedelta(days=n), name) for on, n, name in spans}))


@given(
    pauses=some_breaks(),
    plan=st.tuples(days, days),
    language=st.sampled_from(["en", "de", "ja", "el", "he"]),
)
@settings(max_examples=200, deadline=None)
def test_breaks_survive_their_field_and_the_database(
    pauses: tuple[Break, ...], plan: tuple[date, date], language: str
):
    assume(not {pause.name.casefold() for pause in pauses} & {"to", "until", "till", "through"})
    first_on, last_on = sorted(plan)
    with override(language):
        assert parse_breaks(format_breaks(pauses, first_on, last_on), first_on, last_on) == pauses
        assert parse_breaks(stored_breaks(pauses), first_on, last_on) == pauses


@given(text=st.text(st.sampled_from("15 Jul–-31Aug2027;\n,.() tofrMa"), max_size=40))
@settings(max_examples=500, deadline=None)
def test_anything_typed_is_read_or_refused_with_its_sentence(text: str):
    read = _read_or_refusal(text)
    if isinstance(read, str):
        assert read.startswith("“")
        assert read.endswith((HOW, "There is no such day.", "cannot end before it begins."))
    else:
        assert all(pause.first <= pause.last for pause in read)


def _read_or_refusal(text: str) -> tuple[Break, ...] | str:
    try:
        return parse_breaks(text, *YEAR)
    except BreakCannotBe as refusal:
        return str(refusal)
