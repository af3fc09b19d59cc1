"""An invoice's PDF, written when it is opened."""

import unicodedata
from pathlib import Path

from fpdf import FPDF, FontFace
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from billing.document import Document

FONTS = Path(__file__).resolve().parent / "fonts"
FONT = "DejaVu Sans"
UNKNOWN = "□"
ABOUT_UNKNOWN = f"{UNKNOWN} stands for a letter that this file cannot show. The invoice's page can."
MARGIN = 20.0  # millimetres
FOOT = 24.0
LINE = 5.5
LONGEST_CELL = 600  # characters: a row must fit on one page
INK, SOFT, GREEN, RULE = (31, 41, 51), (82, 96, 109), (20, 83, 45), (203, 212, 207)
WIDTHS = (40, 12, 16, 18, 14)  # of the headings, of a hundred
ALIGNED = ("LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT")


def pdf_of(document: Document) -> bytes:
    """Return the document as a PDF; whatever its letters are, it is written."""
    paper = Paper(document)
    paper.add_page()
    paper.write_head()
    paper.write_parties()
    paper.write_lines()
    paper.write_totals()
    paper.write_how_to_pay()
    return bytes(paper.output())


class Paper(FPDF):
    """A4 in the club's colours, each part of the invoice a method."""

    def __init__(self, document: Document) -> None:
        super().__init__(format="A4")
        self.document = document
        self.has_unknown = False
        self.add_font(FONT, fname=FONTS / "DejaVuSans.ttf")
        self.add_font(FONT, style="B", fname=FONTS / "DejaVuSans-Bold.ttf")
        self.set_margin(MARGIN)
        self.set_auto_page_break(True, margin=FOOT)
        self.set_title(document.title)
        self.set_author(document.club[0])
        self.set_lang("en-GB")
        self.set_draw_color(RULE)

    def footer(self) -> None:
        """Say below every page whose it is, and what a letter that is missing means."""
        self.set_y(-FOOT + 6)
        self.pen(8, SOFT)
        self.line_of(f"{self.document.title} · page {self.page_no()} of {{nb}}")
        if self.has_unknown:
            self.line_of(ABOUT_UNKNOWN)

    def write_head(self) -> None:
        """Write whose invoice it is, which, and what is to be done."""
        self.pen(12, GREEN, bold=True)
        self.line_of(self.document.club[0])
        self.ln(4)
        self.pen(20, INK, bold=True)
        self.line_of(self.document.title)
        self.pen(11, INK)
        self.line_of(self.document.standing)
        self.ln(6)

    def write_parties(self) -> None:
        """Write who asks whom, since when and for what."""
        self.heading("From")
        for line in self.document.club:
            self.line_of(line)
        self.ln(3)
        self.heading("To")
        for line in self.document.billed_to:
            self.line_of(line)
        self.ln(3)
        for label, value in self.document.facts:
            self.fact(label, value)
        self.ln(6)

    def write_lines(self) -> None:
        """Write the lines as a table whose headings stand on every page."""
        self.pen(9, INK)
        with self.table(
            col_widths=WIDTHS,
            text_align=ALIGNED,
            borders_layout="HORIZONTAL_LINES",
            headings_style=FontFace(emphasis="BOLD", color=SOFT),
            line_height=LINE,
            padding=(1, 1),
            v_align="TOP",
        ) as table:
            table.row(self.document.headings)
            for line in self.document.lines:
                table.row([self.known(shortened(cell)) for _, cell in line])
        self.ln(4)

    def write_totals(self) -> None:
        """Write the sums, the last one largest."""
        *before, last = self.document.totals
        with self.unbreakable() as whole:
            for label, amount in before:
                whole.pen(10, INK)
                whole.sum_of(label, amount)
            whole.pen(12, INK, bold=True)
            whole.sum_of(*last)
        self.ln(6)

    def write_how_to_pay(self) -> None:
        """Write how to pay, while there is something to pay, and whom to ask."""
        if self.document.how_to_pay:
            self.heading("How to pay")
            for line in self.document.how_to_pay:
                self.line_of(line)
            self.ln(3)
        self.pen(10, SOFT)
        self.line_of(self.document.contact)

    def pen(self, size: float, color: tuple[int, int, int], *, bold: bool = False) -> None:
        """Take up the font."""
        self.set_font(FONT, style="B" if bold else "", size=size)
        self.set_text_color(color)

    def heading(self, text: str) -> None:
        """Write a heading of a part, and take up the font of what follows."""
        self.pen(9, SOFT, bold=True)
        self.line_of(text)
        self.pen(10, INK)

    def fact(self, label: str, value: str) -> None:
        """Write a name and what it stands for, beside each other."""
        self.pen(10, SOFT)
        self.cell(28, LINE, label)
        self.pen(10, INK)
        self.line_of(value)

    def sum_of(self, label: str, amount: str) -> None:
        """Write a sum at the right edge."""
        self.cell(self.epw - 40, LINE + 1, label, align="R")
        self.cell(40, LINE + 1, amount, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def line_of(self, text: str) -> None:
        """Write a text, broken into as many lines as it takes."""
        height = max(LINE, self.font_size * 1.3)
        self.multi_cell(0, height, self.known(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def known(self, text: str) -> str:
        """Return the text with UNKNOWN for each letter that cannot be shown.

        That is one that the font lacks, and one that is written from the right: without shaping
        it would stand in the wrong order.
        """
        letters = [letter for letter in unicodedata.normalize("NFC", text) if _is_visible(letter)]
        font = self.current_font
        assert isinstance(font, TTFFont)
        shown = [
            letter if ord(letter) in font.cmap and not _is_from_the_right(letter) else UNKNOWN
            for letter in letters
        ]
        self.has_unknown = self.has_unknown or shown != letters
        return "".join(shown)


def shortened(text: str) -> str:
    """Return a text that fits into a cell."""
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"


def _is_visible(letter: str) -> bool:
    return not unicodedata.category(letter).startswith("C")


def _is_from_the_right(letter: str) -> bool:
    return unicodedata.bidirectional(letter) in ("R", "AL")
