"""What the check of a text sees, and where ordinary titles leave it silent."""

import itertools
import time

import pytest

from members.identifiers import Kind, find

SEEN = [
    # Dates
    ("It began on 12 March 1960.", Kind.DATE, "12 March 1960"),
    ("It began on 12.3.1960.", Kind.DATE, "12.3.1960"),
    ("It began on 12/03/60 at night.", Kind.DATE, "12/03/60"),
    ("Seen 1960-03-12", Kind.DATE, "1960-03-12"),
    ("Seen on March 12th, 1960", Kind.DATE, "March 12th, 1960"),
    ("Since March 2019 she comes", Kind.DATE, "March 2019"),
    ("On the 3rd of May he left", Kind.DATE, "3rd of May"),
    ("On the twelfth of March he left", Kind.DATE, "twelfth of March"),
    ("Am 12. März 1960 geboren", Kind.DATE, "12. März 1960"),
    ("Am 3. Jänner kam sie", Kind.DATE, "3. Jänner"),
    ("Am 12.3. kam sie wieder", Kind.DATE, "12.3."),
    ("He was born in 1960", Kind.DATE, "born in 1960"),
    ("Seit Mai 2021 krank", Kind.DATE, "Mai 2021"),
    # Phones, mail, web
    ("Ring 020 7946 0958 first", Kind.PHONE, "020 7946 0958"),
    ("Ring +44 20 7946 0958", Kind.PHONE, "+44 20 7946 0958"),
    ("Call (212) 736-5000 today", Kind.PHONE, "(212) 736-5000"),
    ("Tel. 030 901820", Kind.PHONE, "030 901820"),
    ("Mobile 054-222-3344", Kind.PHONE, "054-222-3344"),
    ("She writes from j.doe@example.org", Kind.MAIL, "j.doe@example.org"),
    ("j.doe (at) example.org", Kind.MAIL, "j.doe (at) example.org"),
    ("It stands on https://example.org/a?b=1", Kind.WEB, "https://example.org/a?b=1"),
    ("see www.example.org", Kind.WEB, "www.example.org"),
    ("her page is someclinic.co.uk", Kind.WEB, "someclinic.co.uk"),
    # Numbers
    ("NHS 943 476 5919", Kind.NUMBER, "NHS 943 476 5919"),
    ("number 36 574 261 809 on the form", Kind.NUMBER, "36 574 261 809"),
    ("SSN 536-90-4399", Kind.NUMBER, "SSN 536-90-4399"),
    ("as 536-90-4399 again", Kind.NUMBER, "536-90-4399"),
    ("MRN 12345", Kind.NUMBER, "MRN 12345"),
    ("record no. 4471", Kind.NUMBER, "record no. 4471"),
    ("Aktenzeichen 12/345", Kind.NUMBER, "Aktenzeichen 12/345"),
    ("insured as A123456780", Kind.NUMBER, "A123456780"),
    ("tax id 36574261809", Kind.NUMBER, "id 36574261809"),
    ("ID 039337423", Kind.NUMBER, "ID 039337423"),
    ("IBAN DE89 3704 0044 0532 0130 00", Kind.NUMBER, "DE89 3704 0044 0532 0130 00"),
    ("the code 8812904 came up", Kind.NUMBER, "8812904"),
    # Postcodes
    ("lives at SW1A 1AA", Kind.POSTCODE, "SW1A 1AA"),
    ("moved to MA 02139", Kind.POSTCODE, "MA 02139"),
    ("wohnt in 79098 Freiburg", Kind.POSTCODE, "79098 Freiburg"),
    ("woont op 1012 AB", Kind.POSTCODE, "1012 AB"),
    ("wohnt in A-1090", Kind.POSTCODE, "A-1090"),
    # Ages
    ("a man of 93 years", Kind.AGE, "93 years"),
    ("a 101-year-old", Kind.AGE, "101-year-old"),
    ("aged 97 and well", Kind.AGE, "97"),
    ("eine 94-jährige Dame", Kind.AGE, "94-jährige"),
    ("she is ninety-two now", Kind.AGE, "ninety-two"),
    ("eine Neunzigjährige", Kind.AGE, "Neunzigjährige"),
    # Names
    ("Mrs Miller would not go", Kind.NAME, "Mrs Miller"),
    ("Then Dr. Katz came in", Kind.NAME, "Dr. Katz"),
    ("Herr Brandt schwieg", Kind.NAME, "Herr Brandt"),
    ("Frau Dr. Weiß schwieg", Kind.NAME, "Frau Dr. Weiß"),
    ("her son Oleg stayed away", Kind.NAME, "Oleg"),
    ("ihr Sohn Anatol blieb fort", Kind.NAME, "Anatol"),
    ("a boy called Wim", Kind.NAME, "Wim"),
    ("I met Oren Katz again", Kind.NAME, "Oren Katz"),
    ("Anna’s secret", Kind.NAME, "Anna’s"),
    ("Sarah Cohen", Kind.NAME, "Sarah Cohen"),
    # Places
    ("a farmer from Hadera", Kind.PLACE, "Hadera"),
    ("She teaches in Little Norton", Kind.PLACE, "Little Norton"),
    ("Der Lehrer aus Bayreuth", Kind.PLACE, "Bayreuth"),
    ("the woman in Haifa", Kind.PLACE, "Haifa"),
    ("at the Rambam Hospital again", Kind.PLACE, "Rambam Hospital"),
    ("he lies in Ward 7", Kind.PLACE, "Ward 7"),
    ("in der Goethestraße 12", Kind.PLACE, "Goethestraße 12"),
    ("12 Mill Lane was empty", Kind.PLACE, "12 Mill Lane"),
    ("the nurse of St. Gallus wept", Kind.PLACE, "St. Gallus"),
    ("the doctor of Kfar Vitkin", Kind.PLACE, "Kfar Vitkin"),
]
SILENT = [
    "",
    "The woman who never sat down",
    "The Woman Who Never Sat Down",
    "Heavy Monday",
    "The locked drawer",
    "The Locked Drawer",
    "She came in March",
    "We may march on",
    "Half past four",
    "The 3 o’clock patient",
    "1,000 reasons to stay",
    "24 hours awake",
    "Two sisters and a father",
    "Not my mother",
    "Sorry, doctor",
    "Dear Doctor",
    "The doctor who could not say no",
    "A mother’s anger",
    "The man of seventy",
    "A patient of 45",
    "The third time this week",
    "A long road home",
    "In English, please",
    "Mr K.",
    "What the nurse saw. Nobody else did.",
    "She said: I know. You do not.",
    "Room for one more",
    "E.g. a quiet one",
    "Die Frau, die nie saß",
    "Aus Angst vor dem Tod",
    "In Trauer und Wut",
    "Mutter und Tochter",
    "Stille nach dem Anruf",
    "Wieder ein Montag",
    "Eine Frau Ende vierzig",
    "Der Mann aus Stein",
    "Nach der Nacht ist nicht vor der Nacht",
]


@pytest.mark.parametrize(("text", "kind", "words"), SEEN, ids=[row[0] for row in SEEN])
def test_it_is_seen_with_its_kind_and_its_place(text, kind, words):
    assert (kind, words) in [(one.kind, text[one.start : one.end]) for one in find(text)]


@pytest.mark.parametrize("text", SILENT)
def test_an_ordinary_title_is_left_alone(text):
    assert [text[one.start : one.end] for one in find(text)] == []


def test_names_of_the_group_are_seen_whole_and_in_part():
    names = ["Dr Ruth Marks", "Owen Wells"]
    text = "What Ruth said to Wells, and what Marks thought"
    assert [text[one.start : one.end] for one in find(text, names=names)] == [
        "Ruth",
        "Wells",
        "Marks",
    ]
    assert find("What Wells said", names=[]) == []


def test_a_title_in_a_name_and_words_written_small_are_nobodys_name():
    assert find("the doctor marks the place; dr who", names=["Dr Ruth Marks"]) == []


def test_findings_do_not_overlap_and_stand_in_the_texts_order():
    text = "Mrs Miller, 93 years old, 12 March 1960, 020 7946 0958, from Hadera"
    found = find(text)
    assert [one.kind for one in found] == ["name", "age", "date", "phone", "place"]
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))


def test_a_long_text_of_many_digits_takes_no_time_to_speak_of():
    text = ("1 2.3-4/5 a.b.c Aa Bb 12 March " * 700)[:20_000]
    started = time.monotonic()
    find(text, names=["Dr Dana Green"] * 15)
    # Far above what it takes; a pattern that backtracks would need minutes.
    assert time.monotonic() - started < 5
