"""Paper: A4 pages as a PDF, in one font for most of the scripts that people here write.

FiraGO knows Latin, Greek, Cyrillic, Hebrew, Arabic, Georgian, Devanagari and Thai. A letter it does
not know becomes a box, and that is said; the library would name the letter in the log.
"""

import atexit
import logging
import shutil
import tempfile
from datetime import datetime
from functools import cache
from pathlib import Path

import pymupdf_fonts
from django.utils.translation import get_language, get_language_bidi
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.fonts import TTFFont

FONT = "FiraGO"
STYLES = {"": "figo", "B": "figbo"}
MARGIN = 16.0  # millimetres, as are all lengths here; a point is for letters.
WIDTH, HEIGHT = 210 - 2 * MARGIN, 297 - 2 * MARGIN
UNKNOWN = "▯"
CUT = "…"
SMALLEST = 6.5

# What they log at work names the letters that were written.
for name in ("fontTools", "fpdf"):
    logging.getLogger(name).setLevel(logging.ERROR)


class Paper(FPDF):
    """A4 pages that begin on the side where the language begins.

    `whole` says whether everything could be written with the font.
    """

    def __init__(self, *, made_at: datetime) -> None:
        super().__init__(format="A4")
        for style, path in _fonts().items():
            self.add_font(FONT, style, path)
        self.whole = True
        self.right_to_left = get_language_bidi()
        self.set_margin(MARGIN)
        self.set_auto_page_break(False)
        # Letters of Hebrew and Arabic in their order and their shapes.
        self.set_text_shaping(True)
        # Outside it says no more than the title of any page.
        self.set_title("Balint")
        self.set_lang(get_language() or "en")
        self.set_creation_date(made_at)

    def line_of(self, text: str, points: float, *, bold: bool = False) -> None:
        """A paragraph of the whole width, as many lines as it needs."""
        self.set_font(FONT, "B" if bold else "", points)
        words, height = self.known(text), points * 0.5
        self.multi_cell(0, height, words, align=self._side, new_x="LMARGIN", new_y="NEXT")

    def put(self, text: str, at: float, wide: float, points: float, *, bold: bool = False) -> float:
        """Words on the present line, from `at` on: smaller where they are long, then cut.

        The width they take.
        """
        words = self._fitted(self.known(text), wide, points, "B" if bold else "")
        self.set_x(MARGIN + (WIDTH - at - wide if self.right_to_left else at))
        self.cell(wide, None, words, align=self._side)
        return float(self.get_string_width(words))

    def strike(self, at: float, wide: float) -> None:
        """A line through what was just put there."""
        begins = MARGIN + (WIDTH - at - wide if self.right_to_left else at)
        middle = self.get_y() + self.font_size / 2
        self.line(begins, middle, begins + wide, middle)

    def known(self, text: str) -> str:
        """The text on one line, with a box for each letter the font does not have."""
        text = " ".join(text.split())
        written = "".join(letter if ord(letter) in _letters() else UNKNOWN for letter in text)
        self.whole = self.whole and written == text
        return written

    def file(self) -> bytes:
        """The finished PDF; nothing can be written on it afterwards."""
        fonts = [font.ttfont for font in self.fonts.values() if isinstance(font, TTFFont)]
        try:
            for font in fonts:
                # What lays letters out has done so; read for nothing, these take most of the time.
                for table in {"GDEF", "GPOS", "GSUB"} & set(font.keys()):
                    del font[table]
            return bytes(self.output())
        finally:
            for font in fonts:
                font.close()

    @property
    def _side(self) -> str:
        return "R" if self.right_to_left else "L"

    def _fitted(self, text: str, wide: float, points: float, style: str) -> str:
        """The text as it fits; the size of letters is set to what it needs."""
        self.set_font(FONT, style, points)
        room, length = wide - 2 * self.c_margin, float(self.get_string_width(text))
        if length > room:
            smaller = max(SMALLEST, points * room / length)
            self.set_font_size(smaller)
            # A width grows with the size of the letters, and all letters are taken as equally wide.
            share = room / (length * smaller / points)
            text = text if share >= 1 else text[: int(len(text) * share) - 1].rstrip() + CUT
        return text


@cache
def _fonts() -> dict[str, Path]:
    """The font's files: the package holds bytes, and the library reads files."""
    folder = Path(tempfile.mkdtemp(prefix="balint-fonts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    files = {style: folder / f"{name}.ttf" for style, name in STYLES.items()}
    for style, name in STYLES.items():
        files[style].write_bytes(pymupdf_fonts.myfont(name))
    return files


@cache
def _letters() -> frozenset[int]:
    """What both of its weights can write."""
    known = []
    for path in _fonts().values():
        with TTFont(path, lazy=True) as font:
            known.append(frozenset(font.getBestCmap()))
    return frozenset.intersection(*known)
