"""Likely identifiers in a text: what was seen and where, and never that a text is safe.

Pure: no network, no clock, no words kept. Patterns and check digits see dates, numbers and
addresses well, and names and places only by what stands around them: a title, a kinship, a
preposition, a name the caller knows. Whoever wrote the text decides.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

import phonenumbers
import stdnum.at.vnr
import stdnum.ch.ssn
import stdnum.de.idnr
import stdnum.fr.nir
import stdnum.gb.nhs
import stdnum.gr.amka
import stdnum.il.idnr
import stdnum.luhn
import stdnum.nl.bsn
import stdnum.us.ssn
from phonenumbers import PhoneNumberMatcher

from members import cues
from members.cues import CAPITAL, NAME, word_of


class Kind(StrEnum):
    """What a piece of text looks like."""

    MAIL = "mail"
    WEB = "web"
    DATE = "date"
    AGE = "age"
    POSTCODE = "postcode"
    PHONE = "phone"
    NUMBER = "number"
    NAME = "name"
    PLACE = "place"


class Finding(NamedTuple):
    """`text[start:end]` looks like a `kind`."""

    kind: Kind
    start: int
    end: int


def find(text: str, *, names: Iterable[str] = ()) -> list[Finding]:
    """Likely identifiers in `text`, in its order; `names` are of people the group knows.

    Where two overlap, the one that says more stays. An empty list promises nothing.
    """
    taken: list[Finding] = []
    for found in _all(text, names):
        if not any(found.start < other.end and other.start < found.end for other in taken):
            taken.append(found)
    return sorted(taken, key=lambda finding: finding.start)


def _all(text: str, names: Iterable[str]) -> Iterator[Finding]:
    """Every finding of every finder, the surest kinds first."""
    yield from _known_names(text, names)
    plain = not _is_headline(text)
    for finder in FINDERS if plain else FINDERS_OF_HEADLINES:
        yield from finder(text)


Finder = Callable[[str], Iterator[Finding]]


def _pattern(kind: Kind, pattern: str, flags: int = 0) -> Finder:
    """Whatever matches; the group `it`, if there is one, is what is shown."""
    compiled = re.compile(pattern, flags)
    group = "it" if "it" in compiled.groupindex else 0

    def finder(text: str) -> Iterator[Finding]:
        for match in compiled.finditer(text):
            yield Finding(kind, *match.span(group))

    return finder


def _unless(finder: Finder, ordinary: frozenset[str]) -> Finder:
    """The same without those that have one of these words in them."""

    def finder_of_the_rest(text: str) -> Iterator[Finding]:
        for found in finder(text):
            said = re.findall(r"[^\W\d_]+", text[found.start : found.end])
            if not ordinary.intersection(word.casefold() for word in said):
                yield found

    return finder_of_the_rest


# Numbers

REGIONS = ("GB", "US", "DE", "IL", "NL", "GR", "AU", "FR")
_DIGITS = re.compile(r"(?<![\w.,])\d(?:[ /.-]?\d){6,15}(?!\w)")
_LIKE_A_PHONE = re.compile(r"(?<!\w)[+(]?\d[\d ()/.–-]{4,22}\d(?!\w)")
_CHECKED = (
    stdnum.gb.nhs,
    stdnum.il.idnr,
    stdnum.de.idnr,
    stdnum.nl.bsn,
    stdnum.us.ssn,
    stdnum.at.vnr,
    stdnum.ch.ssn,
    stdnum.fr.nir,
    stdnum.gr.amka,
)


def _phones(text: str) -> Iterator[Finding]:
    """Where there are digits enough, what somebody in one of the regions could ring."""
    for run in _LIKE_A_PHONE.finditer(text):
        for region in REGIONS:
            for match in PhoneNumberMatcher(run.group(), region, phonenumbers.Leniency.VALID):
                yield Finding(Kind.PHONE, run.start() + match.start, run.start() + match.end)


def _check_digits(text: str) -> Iterator[Finding]:
    """Numbers whose check digit is right, however they are spaced."""
    for match in _DIGITS.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        card = len(digits) == 16 and stdnum.luhn.is_valid(digits)
        if card or any(number.is_valid(digits) for number in _CHECKED):
            yield Finding(Kind.NUMBER, *match.span())


# Names


def _known_names(text: str, names: Iterable[str]) -> Iterator[Finding]:
    """Names of people the group knows, whole or in part; parts as they are written."""
    for name in names:
        parts = [part for part in re.findall(r"[^\W\d_]{3,}", name) if _is_name(part)]
        for part in parts:
            for match in re.finditer(rf"\b{re.escape(part)}(?:s|’s|'s)?\b", text):
                yield Finding(Kind.NAME, *match.span())


def _is_name(part: str) -> bool:
    return part.casefold() not in cues.TITLES_IN_NAMES


def _first_names(text: str) -> Iterator[Finding]:
    """A usual first name, with the name behind it."""
    for match in re.finditer(rf"\b({CAPITAL}[^\W\d_]+)(?:[’']s\b)?(?: {NAME})?", text):
        first = re.sub(r"(?:s|’s|'s)$", "", match[1])
        if {match[1].casefold(), first.casefold()} & cues.FIRST_NAMES:
            yield Finding(Kind.NAME, *match.span())


def _pairs(text: str) -> Iterator[Finding]:
    """Two capitalised words inside a sentence; at its beginning the first would be so anyway."""
    for match in re.finditer(rf"(?<=[^.!?:;\s–-]\s){NAME} {NAME}\b", text):
        words = [word.casefold() for word in match.group().split()]
        if not cues.ORDINARY.intersection(words):
            yield Finding(Kind.NAME, *match.span())


def _is_headline(text: str) -> bool:
    """“The Woman Who Never Sat Down”: where every word is capitalised, capitals say nothing."""
    words = [word for word in re.findall(r"[^\W\d_]+", text)[1:] if word not in cues.SMALL]
    return len(words) > 1 and sum(word[0].isupper() for word in words) >= 0.8 * len(words)


# Places


def _german_places(text: str) -> Iterator[Finding]:
    """German writes every noun large: there “in X” is a place only if X is known as one."""
    if not re.search(rf"\b(?:{word_of(cues.GERMAN)})\b", text, re.IGNORECASE):
        yield from _places(text)


_places = _unless(
    _pattern(Kind.PLACE, rf"\b(?:from|near|in|at) (?P<it>{NAME}(?: {NAME})?)\b"), cues.ORDINARY
)
_months = word_of(cues.MONTHS)
# “may” and “march” are verbs; a month is written large.
_large_months = word_of(month.title() for month in cues.MONTHS)
_day = r"(?:3[01]|[12]\d|0?[1-9])"
_month_number = r"(?:1[0-2]|0?[1-9])"
_year = r"(?:(?:19|20)\d\d|[’']\d\d)"
_day_in_words = rf"(?:{_day}(?:st|nd|rd|th|\.)?|{word_of(cues.ORDINALS)})"

NUMBERS: tuple[Finder, ...] = (
    _pattern(Kind.MAIL, r"[\w.+%-]+ ?(?:@|\(at\)|\[at\]) ?[\w-]+(?:\.[\w-]+)+"),
    _pattern(Kind.WEB, r"\b(?:https?://|www\.)\S+"),
    _pattern(Kind.WEB, rf"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:{word_of(cues.TOP)})\b(?:/\S*)?", re.I),
    _pattern(Kind.DATE, rf"\b{_year}([-/.]){_month_number}\1{_day}\b"),
    _pattern(Kind.DATE, rf"(?<![\d.])\d{{1,2}}([-/.])\d{{1,2}}\1(?:{_year}|\d\d)\b"),
    _pattern(Kind.DATE, rf"(?<![\d.]){_day}\. ?{_month_number}\.(?!\d)"),
    _pattern(
        Kind.DATE, rf"\b{_day_in_words}(?: of| im)? (?:{_months})\b\.?(?:,? {_year}\b)?", re.I
    ),
    _pattern(
        Kind.DATE, rf"\b(?:{_large_months})\.? {_day}(?:st|nd|rd|th)?\b(?!\d)(?:,? {_year}\b)?"
    ),
    _pattern(Kind.DATE, rf"\b(?:{_large_months})\.?,? {_year}\b"),
    _pattern(
        Kind.DATE, rf"\b(?:born|geboren|geb\.?|né|née)(?: in| im| on| am| Jahr)* {_year}\b", re.I
    ),
    _pattern(Kind.AGE, rf"\b(?:9\d|1[012]\d)[ -]?(?:{cues.OLD})", re.I),
    _pattern(
        Kind.AGE,
        r"\b(?:aged?(?: of)?|alter von|over|über) (?P<it>9\d|1[012]\d)\b(?! (?:%|per))",
        re.I,
    ),
    _pattern(
        Kind.AGE,
        r"\b(?:man|woman|lady|patient|person) of (?P<it>(?:9\d|1[012]\d)\b(?: years)?)",
        re.I,
    ),
    _pattern(Kind.AGE, rf"\b(?:{cues.NINETY})", re.I),
    _pattern(
        Kind.NUMBER,
        rf"\b(?:{cues.RECORDS})[ .:#]*(?:(?:no|nr|number|nummer)\b\.?)?"
        r"[ :#]*[A-Z]{0,3}[ -]?\d(?:[ /-]?\d){2,}",
        re.I,
    ),
    _pattern(
        Kind.NUMBER,
        r"\b\d{3}-\d{2}-\d{4}\b|\b[A-Z]\d{9}\b|\b[A-Z]{2}\d\d(?: ?[\dA-Z]{4}){3,7}(?: ?\d{1,3}\b)?",
    ),
    _pattern(Kind.POSTCODE, r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}\b"),
    _pattern(Kind.POSTCODE, rf"\b(?:{word_of(cues.STATES)}),? \d{{5}}(?:-\d{{4}})?\b"),
    _unless(_pattern(Kind.POSTCODE, rf"\b(?:D-)?\d{{5}} {NAME}"), cues.COUNTED),
    _pattern(Kind.POSTCODE, rf"\b(?:A|CH|B|DK)-\d{{4}}\b(?: {NAME})?"),
    _pattern(Kind.POSTCODE, r"\b(?!(?:19|20)\d\d )[1-9]\d{3} ?(?!S[ADS])[A-Z]{2}\b"),
    _phones,
    _check_digits,
    _pattern(Kind.NUMBER, r"(?<![\d.,])\d{6,}(?![\d.,]\d)"),
)
STRONG: tuple[Finder, ...] = (
    _unless(
        _pattern(Kind.NAME, rf"\b(?:{word_of(cues.TITLES)})\.?(?: (?:Dr|Prof)\.?)* {NAME}"),
        cues.NOT_BEHIND_A_TITLE,
    ),
    _first_names,
    _pattern(Kind.PLACE, rf"\b(?:{word_of(cues.TOWNS)})\b"),
    _pattern(Kind.PLACE, rf"\b\d+ {NAME} (?:{word_of(cues.STREETS)})\b"),
    _pattern(Kind.PLACE, rf"\b{CAPITAL}?[^\W\d_]*(?:{cues.STREET_ENDS}) \d+\w?\b", re.I),
    _pattern(Kind.PLACE, rf"\b(?:{word_of(cues.ROOMS)}) [A-Z]?\d+\w?\b"),
    _pattern(
        Kind.PLACE, rf"\bSt\.? {NAME}(?:’s|'s)?|\b(?:Kfar|Kibbutz|Moshav|Beit|Bad|Sankt) {NAME}"
    ),
)
WEAK: tuple[Finder, ...] = (
    _unless(
        _pattern(
            Kind.NAME, rf"\b(?i:{word_of(cues.KIN)}),? (?:called |named |namens )?(?P<it>{NAME})"
        ),
        cues.ORDINARY | cues.NOT_BEHIND_A_TITLE,
    ),
    _unless(
        _pattern(Kind.NAME, rf"\b(?:called|named|namens|heißt|heisst) (?P<it>{NAME})"),
        cues.ORDINARY,
    ),
    _unless(
        _pattern(Kind.PLACE, rf"\b{NAME}(?: {NAME})? (?:{word_of(cues.HOUSES)})\b"),
        cues.BEFORE_A_HOUSE,
    ),
    _pattern(Kind.PLACE, rf"\b(?:{word_of(cues.HOUSES_FIRST)}) {NAME}"),
    _unless(_pattern(Kind.PLACE, rf"\baus (?P<it>{NAME})\b"), cues.ORDINARY | cues.OUT_OF),
    _german_places,
    _pairs,
)
FINDERS = NUMBERS + STRONG + WEAK
FINDERS_OF_HEADLINES = NUMBERS + STRONG
