"""A file of meter numbers: text, CSV in three encodings, a workbook; what is wrong with it."""

import openpyxl
import pytest

from engine.domain.errors import BadSelection
from engine.domain.selection import parse
from engine.serial_files import loaded, selection_of

ONE, TWO = "202611230001", "202611230002"


def read(path):
    return loaded(parse(f"@{path}"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_column_is_found_by_its_heading_in_any_encoding(tmp_path, encoding):
    path = tmp_path / "电表.csv"
    path.write_text(f"商铺,表号\n茶馆,{ONE}\n书店,{TWO}\n", encoding=encoding)

    found = read(path)

    assert (found.serials, found.lines, found.file) == ((ONE, TWO), (2, 3), "电表.csv")


def test_without_a_heading_it_is_the_first_column(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"{ONE},茶馆\n\n{TWO},书店\n", encoding="utf-8")

    assert read(path).serials == (ONE, TWO)
    assert read(path).lines == (1, 3)


def test_a_plain_text_may_separate_numbers_in_any_way_and_say_them_twice(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(f"{ONE}，{TWO}\n{TWO} {ONE}\n", encoding="utf-8")

    assert read(path).serials == (ONE, TWO)


def test_a_workbook_gives_back_the_zeros_that_a_spreadsheet_took(tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    for row in (("表号",), (21_107_180_001,), (ONE,)):
        book.active.append(row)
    book.save(path)

    assert read(path).serials == ("021107180001", ONE)
    assert read(path).lines == (2, 3)


@pytest.mark.parametrize(
    ("name", "content", "why", "line"),
    [
        ("a.csv", "电表\n".encode() + "茶馆".encode("gbk") + b"\n", "file_two_encodings", 1),
        ("a.csv", b"\xff\xfe\x00", "file_unknown_encoding", 1),
        ("a.xlsx", b"no workbook", "file_unreadable", 1),
        ("a.csv", b"", "no_serials", None),
        ("a.csv", b"serial\n", "no_serials", None),
    ],
)
def test_what_cannot_be_read_says_where_and_why(tmp_path, name, content, why, line):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(BadSelection) as refused:
        read(path)

    assert (refused.value.params["why"], refused.value.params.get("line")) == (why, line)


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(BadSelection) as refused:
        read(tmp_path / "none.csv")

    assert refused.value.params["why"] == "file_no_such_path"


def test_a_file_and_another_condition_hold_together(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(ONE, encoding="utf-8")

    wanted = selection_of([f"@{path}", "state=alarm1"])

    assert (wanted.serials, wanted.conditions()["state"]) == ((ONE,), "alarm1")
