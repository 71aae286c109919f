"""Reading what people keep: encodings, workbooks, and where exactly something is wrong."""

import datetime as dt

import openpyxl
import pytest

from engine import tables


def write(folder, name, text, encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_chinese_is_read_in_every_encoding_a_spreadsheet_writes(tmp_path, encoding):
    write(tmp_path, "buildings.csv", "building,name\nB1,万达广场\n", encoding)

    found = tables.read(tmp_path)

    assert found.errors == []
    assert found.by_name["buildings"].rows[0].cells == {"building": "B1", "name": "万达广场"}


def test_each_file_may_have_its_own_encoding(tmp_path):
    write(tmp_path, "buildings.csv", "building,name\nB1,广场\n", "gbk")
    write(tmp_path, "lines.csv", "line,location\nL1,强电井\n", "utf-8-sig")

    found = tables.read(tmp_path)

    assert found.by_name["buildings"].rows[0].cells["name"] == "广场"
    assert found.by_name["lines"].rows[0].cells["location"] == "强电井"


def test_two_encodings_in_one_file_are_refused_with_the_row(tmp_path):
    raw = b"building,name\n" + "B1,广场\n".encode("gbk") + "B2,商场\n".encode()
    (tmp_path / "buildings.csv").write_bytes(raw)

    found = tables.read(tmp_path)

    assert found.errors == [tables.Problem("two_encodings", "buildings.csv", 3)]
    assert found.by_name == {}


def test_bytes_of_no_encoding_are_refused_with_the_row(tmp_path):
    (tmp_path / "buildings.csv").write_bytes(b"building,name\nB1,\xff\xff\n")

    assert tables.read(tmp_path).errors == [tables.Problem("unknown_encoding", "buildings.csv", 2)]


def test_empty_lines_are_skipped_and_rows_keep_the_numbers_of_the_file(tmp_path):
    write(tmp_path, "t.csv", "\na,b\n\n , \n1,2\n")

    rows = tables.read(tmp_path).by_name["t"].rows

    assert [(row.number, row.cells) for row in rows] == [(5, {"a": "1", "b": "2"})]


def test_a_missing_cell_is_empty_and_one_too_many_is_an_error(tmp_path):
    write(tmp_path, "t.csv", "a,b\n1\n1,2,3\n")

    found = tables.read(tmp_path)

    assert found.by_name["t"].rows[0].cells == {"a": "1", "b": ""}
    assert found.errors == [tables.Problem("extra_cell", "t.csv", 3, params={"found": "3"})]


def test_a_column_named_twice_is_an_error(tmp_path):
    write(tmp_path, "t.csv", "a,A\n1,2\n")

    assert tables.read(tmp_path).errors == [tables.Problem("double_column", "t.csv", 1, "a")]


def test_an_unclosed_quote_is_an_error(tmp_path):
    write(tmp_path, "t.csv", 'a,b\n"1,2\n')

    assert [error.code for error in tables.read(tmp_path).errors] == ["bad_csv"]


def test_a_file_without_a_header_is_an_error(tmp_path):
    write(tmp_path, "t.csv", "")

    assert [error.code for error in tables.read(tmp_path).errors] == ["no_header"]


def test_a_workbook_gives_one_table_a_sheet_and_says_what_was_a_number(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "meters"
    book.active.append(["serial", "price", "since", "open"])
    book.active.append([2611230001, 0.7, dt.date(2026, 1, 1), True])
    book.active.append([None, None, None, None])
    book.active.append(["000000000007", 1e-05, dt.time(8, 30), False])
    book.create_sheet("Sheet2")
    book.save(tmp_path / "site.xlsx")

    found = tables.read(tmp_path / "site.xlsx")

    assert found.errors == []
    first, second = found.by_name["meters"].rows
    assert found.by_name["meters"].file == "site.xlsx [meters]"
    assert first.cells == {
        "serial": "2611230001", "price": "0.7", "since": "2026-01-01", "open": "1"
    }  # fmt: skip
    assert first.numeric == {"serial", "price"}
    assert (second.number, second.cells["serial"]) == (4, "000000000007")
    assert second.cells["price"] == "0.00001"


@pytest.mark.parametrize("text", ["=1+1", "-A", "+86", "@x", "'quoted'", "'=x", "plain"])
def test_what_a_spreadsheet_would_run_comes_back_as_the_text_it_was(tmp_path, text):
    tables.write_csv(tmp_path, "t", ["a"], [[text]])
    tables.write_workbook(tmp_path / "t.xlsx", {"t": (["a"], [[text]])})

    for path in (tmp_path, tmp_path / "t.xlsx"):
        assert tables.read(path).by_name["t"].rows[0].cells == {"a": text}
    raw = (tmp_path / "t.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert not raw.startswith(tables.FORMULA_START)


@pytest.mark.parametrize(
    ("name", "code"),
    [("absent", "no_such_path"), ("empty", "no_tables"), ("x.txt", "not_tables")],
)
def test_a_path_without_tables_says_what_it_is(tmp_path, name, code):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.txt").touch()

    assert [error.code for error in tables.read(tmp_path / name).errors] == [code]


def test_a_file_that_only_claims_to_be_a_workbook_is_an_error(tmp_path):
    (tmp_path / "site.xlsx").write_bytes(b"PK no")

    assert [error.code for error in tables.read(tmp_path / "site.xlsx").errors] == ["unreadable"]
