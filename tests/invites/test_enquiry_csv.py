"""What becomes of the bytes of a CSV file, without a database."""

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egac.csv_files import FORMULA, LARGEST_FILE, RefusedLine, UnusableFile, harmless, original
from invites.enquiry_csv import (
    COLUMNS,
    AlreadyThere,
    CleanEnquiry,
    Verdict,
    clean_records,
    find_known,
    key_of,
    read_enquiries,
)

SAMPLE = (Path(__file__).resolve().parents[1] / "data" / "enquiries.csv").read_bytes()
TODAY = date(2026, 11, 21)
HEADER = ",".join(COLUMNS)


def judge(content: bytes) -> list[Verdict]:
    return find_known(clean_records(read_enquiries(content), today=TODAY), known=())


def cleaned(**cells: str) -> CleanEnquiry:
    """Return the enquiry of one record, whose other cells are good."""
    (enquiry,) = judge(file_of(**cells))
    assert isinstance(enquiry, CleanEnquiry), enquiry
    return enquiry


def file_of(**cells: str) -> bytes:
    values = {"name": "Zoë Hart", "email": "zoe@families.example", **cells}
    row = ['"' + values.get(column, "").replace('"', '""') + '"' for column in COLUMNS]
    return f"{HEADER}\n{','.join(row)}\n".encode()


def test_judges_each_record_of_the_sample() -> None:
    verdicts = judge(SAMPLE)

    assert len(verdicts) == 300
    assert sum(isinstance(each, CleanEnquiry) for each in verdicts) == 295
    assert [each.line for each in verdicts if isinstance(each, AlreadyThere)] == [56]
    assert [each for each in verdicts if isinstance(each, RefusedLine)] == [
        RefusedLine(29, "It has no usable address: 'not-an-address' is none."),
        RefusedLine(55, "It has no usable address: the e-mail is empty."),
        RefusedLine(92, "31/02/2015 is no such day (date_of_birth)."),
        RefusedLine(152, "It has no name."),
    ]


def test_a_record_over_two_lines_is_one_record_and_later_lines_keep_their_numbers() -> None:
    by_line = {each.line: each for each in read_enquiries(SAMPLE)}

    assert by_line[202].cell("note") == "line one\nline two"
    assert 203 not in by_line
    assert by_line[204].cell("name") == "Tomás Lindqvist"


@pytest.mark.parametrize(
    ("column", "cell", "field", "expected"),
    [
        ("name", "  Zoë \t  Hart\n", "name", "Zoë Hart"),
        ("name", "Zoe\u0308 Hart", "name", "Zoë Hart"),
        ("name", "Zoë\0 \x1b[31mHart", "name", "Zoë [31mHart"),
        ("name", "<script>alert(1)</script>", "name", "<script>alert(1)</script>"),
        ("name", '=HYPERLINK("http://x","y")', "name", '=HYPERLINK("http://x","y")'),
        ("email", " ZOE.Hart@Families.EXAMPLE\u00a0", "email", "zoe.hart@families.example"),
        ("phone", " +44 7700  900123 ", "phone", "+44 7700 900123"),
        ("phone", "'+44 7700 900123", "phone", "+44 7700 900123"),
        ("phone", "  ", "phone", None),
        ("date_of_birth", "2014-04-09", "dob", date(2014, 4, 9)),
        ("date_of_birth", "09/04/2014", "dob", date(2014, 4, 9)),
        ("date_of_birth", "9/4/2014", "dob", date(2014, 4, 9)),
        ("date_of_birth", "29/02/2016", "dob", date(2016, 2, 29)),
        ("date_of_birth", "2026-11-21", "dob", TODAY),
        ("date_of_birth", "", "dob", None),
        ("enquired_on", "01/09/2026", "enquired_on", date(2026, 9, 1)),
        ("note", "one\r\ntwo\x07\rthree\n", "note", "one\ntwo\nthree"),
        ("note", "", "note", None),
    ],
)
def test_cleans_a_cell(column: str, cell: str, field: str, expected: object) -> None:
    assert getattr(cleaned(**{column: cell}), field) == expected


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("name", " \t ", "It has no name."),
        ("name", "\u200b-\0", "It has no name."),
        ("email", "", "It has no usable address: the e-mail is empty."),
        ("email", "zoe@", "It has no usable address: 'zoe@' is none."),
        ("email", "a@b.example, c@d.example", "'a@b.example, c@d.example' is none."),
        ("email", "zoe@families.example\0\nbcc: x", "is none."),
        ("email", "x" * 400 + "@families.example", "…' is none."),
        ("date_of_birth", "31/02/2015", "31/02/2015 is no such day (date_of_birth)."),
        ("date_of_birth", "2015-13-01", "2015-13-01 is no such day (date_of_birth)."),
        ("date_of_birth", "0000-01-01", "0000-01-01 is no such day (date_of_birth)."),
        ("date_of_birth", "22/11/2026", "22/11/2026 lies in the future (date_of_birth)."),
        ("date_of_birth", "04/09/14", "'04/09/14' is no date (date_of_birth)"),
        ("date_of_birth", "٢٠١٤-٠٤-٠٩", "is no date (date_of_birth)"),
        ("enquired_on", "1066-10-14", "1066-10-14 lies before 1900 (enquired_on)."),
        ("enquired_on", "yesterday", "'yesterday' is no date (enquired_on): write 2014-04-09"),
    ],
)
def test_refuses_a_record_with_its_line_and_the_reason(column: str, cell: str, reason: str) -> None:
    (refused,) = judge(file_of(**{column: cell}))

    assert isinstance(refused, RefusedLine)
    assert refused.line == 2
    assert reason in refused.reason


def test_refuses_a_record_whose_comma_stands_without_quotes() -> None:
    (refused,) = judge(b"name,email\nHart, Zoe,zoe@families.example\n")

    assert isinstance(refused, RefusedLine)
    assert "more fields than columns" in refused.reason


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf\r\n \r\n", "The file is empty."),
        (HEADER.encode(), "a header and no record"),
        (f"{HEADER}\n,,,,,,,\n\n".encode(), "a header and no record"),
        (SAMPLE.decode("utf-8-sig").encode("utf-16"), "UTF-16"),
        (SAMPLE.decode("utf-8-sig").encode("utf-16-be"), "UTF-16"),
        (SAMPLE.decode("utf-8-sig").encode("utf-32"), "UTF-16"),
        (f"{HEADER}\nZo\xeb".encode("latin-1"), "Line 2 is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "Line 1 is not UTF-8"),
        (b"PK\x03\x04\x14\0", "workbook"),
        (b"email,phone\na@b.example,1\n", "There is no column name."),
        (b"name;email\nZoe;a@b.example\n", "no column name and no column email"),
        (b"name,e-mail,Email\nZoe,a@b.example,\n", "The column 'e-mail' is there twice."),
        (b'name,email\nZoe,a@b.example\n\nTom,"t@b.example\nMia,', "begins on line 4 cannot"),
        (b'name,email\n"Zoe "the" Hart",a@b.example\n', "begins on line 2 cannot be read"),
        (b"name,email\n" + b"x" * 200_000 + b",a@b.example\n", "begins on line 2 cannot be read"),
        (b" " * (LARGEST_FILE + 1), "larger than 10 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_says_in_a_sentence_why_a_file_cannot_be_used(content: bytes, sentence: str) -> None:
    with pytest.raises(UnusableFile, match=sentence):
        read_enquiries(content)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_reads_every_end_of_line_with_and_without_a_mark(ends: str, mark: str) -> None:
    text = mark + ends.join([" Name ,E-Mail,Date of  Birth", "Zoe,z@b.example,09/04/2014", "", ","])

    (enquiry,) = judge(text.encode())

    assert isinstance(enquiry, CleanEnquiry)
    assert enquiry.dob == date(2014, 4, 9)


def test_keeps_the_whole_record_with_columns_that_it_does_not_know() -> None:
    enquiry = judge(b"name,email,T-shirt,\n Zoe,Z@b.example,\0M,x\n")[0]

    assert isinstance(enquiry, CleanEnquiry)
    assert enquiry.raw == {
        "name": " Zoe",
        "email": "Z@b.example",
        "T-shirt": "M",
        "column 4": "x",
    }


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("zoë  HART ", "zoe@families.example"),
        ("Zoe\u0308 Hart", " ZOE@families.example"),
        ("\uff3aoë\u00a0\u210cart", "Zoe@Families.Example\n"),
    ],
)
def test_the_same_name_and_address_is_the_same_enquiry(name: str, email: str) -> None:
    assert key_of(name, email) == key_of("Zoë Hart", "zoe@families.example")


def test_two_children_with_one_address_are_two_enquiries() -> None:
    verdicts = judge(b"name,email\nZoe Hart,p@b.example\nTom Hart,p@b.example\n")

    assert all(isinstance(each, CleanEnquiry) for each in verdicts)


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_raise_nothing_but_the_one_error(content: bytes) -> None:
    with suppress(UnusableFile):
        assert len(judge(content)) == len(read_enquiries(content))


CELLS = st.sampled_from(
    ["", "Zoë", "a@b.example", "A@B.example ", "31/02/2015", "1,2", "=1", "x\ny", '"', "\0"]
) | st.text(st.characters(codec="utf-8"), max_size=8)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=9), min_size=1, max_size=9))
def test_no_record_is_lost_and_each_has_its_own_line(rows: list[list[str]]) -> None:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]

    verdicts = judge("\n".join([HEADER, "Tom,t@b.example", *quoted]).encode())

    there = [row for row in rows if any(cell.strip() for cell in row)]
    assert len(verdicts) == 1 + len(there)
    assert len({each.line for each in verdicts}) == len(verdicts)


@given(st.text() | st.from_regex(FORMULA))
def test_a_formula_is_harmless_outside_and_comes_back_as_it_was(cell: str) -> None:
    outside = harmless(cell)

    assert not outside.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert original(outside) == cell
