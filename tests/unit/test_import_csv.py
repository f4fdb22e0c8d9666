"""CSV is read as it arrives, wherever the network cuts it."""

from __future__ import annotations

import pytest

from services.api.http import ProblemError
from services.api.imports.read_csv import CsvRows
from services.api.imports.read_list import read_list

QUOTED = '\ufeffusername,instagram_user_id,tags\r\n\r\na,1,"x;y"\r\n"b",2,"""quoted"""\r\nc,3,\r\nd,4,5" vinyl'


def read(content, *, piece=None):
    """What comes of a file that arrives in pieces of so many bytes."""
    file = CsvRows()
    step = piece or max(len(content), 1)
    for start in range(0, len(content), step):
        file.feed(content[start : start + step])
    return file.finish()


def refusal(content, *, piece=None):
    with pytest.raises(ProblemError) as raised:
        read(content, piece=piece)
    return raised.value


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64])
def test_where_a_file_is_cut_makes_no_difference(piece):
    """Lines, quotes, marks of encoding and letters may all be torn apart on the way."""
    whole = read(QUOTED.encode())

    assert read(QUOTED.encode(), piece=piece) == whole
    assert [(row.line, row.username, row.tags) for row in whole] == [
        (3, "a", ("x", "y")),
        (4, "b", ('"quoted"',)),
        (5, "c", ()),
        (6, "d", ('5" vinyl',)),
    ]


@pytest.mark.parametrize("piece", [None, 1, 5])
def test_line_numbers_count_as_an_editor_does(piece):
    """Empty lines and line breaks inside quotes do not shift the lines that are told."""
    text = 'username,instagram_user_id,tags\r\n\r\na,1,"x\r\ny"\r\n\r\nb,zero,\r\n'

    told = refusal(text.encode(), piece=piece).errors

    assert [(fault.line, fault.field) for fault in told] == [(3, "tags"), (6, "instagram_user_id")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_spreadsheets_of_all_countries_are_read(delimiter, end):
    """Commas, semicolons and tabs part columns, and lines end as on any system."""
    lines = [["username", "instagram_user_id", "tags"], ["cafe", "1", '"demo;coffee"'], ["bar", "2", ""]]
    text = end.join(delimiter.join(line) for line in lines)

    rows = read(text.encode(), piece=9)

    assert [(row.username, row.tags) for row in rows] == [("cafe", ("demo", "coffee")), ("bar", ())]


@pytest.mark.parametrize(("piece", "line"), [(None, 3), (1, 3), (8, 3)])
def test_the_line_that_is_not_utf_8_is_told(piece, line):
    """Also when it comes long after what was read already."""
    refused = refusal(b"username,instagram_user_id\na,1\nb\xff,2\n", piece=piece)

    assert [(fault.code, fault.line) for fault in refused.errors] == [("invalid_text", line)]


def test_a_quote_that_never_ends_is_refused_before_much_of_it_is_held():
    """A file of megabytes behind one quote costs neither memory nor time without bound."""
    file = CsvRows()
    file.feed(b'username,instagram_user_id\n"a')

    def feed_until_refused():
        for pieces in range(1, 122):
            try:
                file.feed(b"x,1\n" * 16_384)
            except ProblemError as refused:
                return pieces, refused.errors[0].code
        return None

    assert feed_until_refused() == (2, "malformed_csv")


def test_no_more_faults_are_told_than_help():
    """The first thousand are told, and how many there are."""
    lines = "\n".join(f"no name,{number}" for number in range(1, 3_001))

    refused = refusal(f"username,instagram_user_id\n{lines}".encode())

    assert len(refused.errors) == 1_000
    assert (
        refused.detail == "3,000 line(s) have faults; nothing was imported. The first 1,000 of 3,000 faults are told."
    )


def test_a_list_that_is_nested_is_refused_before_it_is_built():
    """A few megabytes of little lists would hold up the whole process for seconds."""
    nested = b'[{"username":"cafe","tags":[' + b"[]," * 1_000 + b"[]]}]"

    with pytest.raises(ProblemError) as refused:
        read_list(nested)

    assert (refused.value.code, refused.value.errors[0].path) == ("validation_failed", "[0][...][0]")
