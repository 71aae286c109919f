"""What may stand in a tenant's row, and which part of it is refused why."""

import pytest

from engine.domain import tenants
from engine.domain.errors import (
    BadFeePct,
    BadIdNumber,
    BadLease,
    BadNote,
    BadPhone,
    BadTenantName,
    BadTenantNumber,
)


@pytest.mark.parametrize("number", ["T001", "A-101", "3F/12", "商铺7", " T9 "])
def test_a_number_is_short_and_without_spaces(number):
    assert tenants.checked_number(number) == number.strip()


@pytest.mark.parametrize("number", ["", " ", "A 1", "A;1", "=1+1", "-1", "@x", "A\t1", "x" * 65])
def test_a_number_that_other_programs_would_misread_is_refused(number):
    with pytest.raises(BadTenantNumber):
        tenants.checked_number(number)


def test_a_hundred_chinese_characters_are_a_name_and_cut_nowhere():
    name = "重庆小面" * 25

    assert tenants.checked_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        ("\u3000 ", "empty"),
        ("面" * 101, "too_long"),
        ("=cmd()", "formula"),
        (" =HYPERLINK(1)", "formula"),
        ("茶\x00馆", "unprintable"),
        ("茶\n馆", "unprintable"),
        ("\x1b[31m红", "unprintable"),
        ("a\u202eb", "unprintable"),
    ],
)
def test_a_name_that_cannot_be_shown_is_refused_and_said_why(name, why):
    with pytest.raises(BadTenantName) as refused:
        tenants.checked_name(name)

    assert refused.value.params["why"] == why
    assert str(refused.value.params["name"]).isprintable()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("", ""),
        ("13800138000", "13800138000"),
        ("138 0013 8000", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("13800138000;13900139000", "13800138000;13900139000"),
        ("13800138000；13900139000，0755-88888888", "13800138000;13900139000;0755-88888888"),
        ("13800138000 13900139000、13700137000", "13800138000;13900139000;13700137000"),
        ("13800138000;13800138000", "13800138000"),
        ("010-62345678", "010-62345678"),
        ("(010) 6234 5678", "010-62345678"),
        ("+86 755 8888 8888", "0755-88888888"),
        ("0755-88888888-8001", "0755-88888888-8001"),
        ("0755-88888888转8001", "0755-88888888-8001"),
        ("88888888", "88888888"),
        ("400-800-8888", "4008008888"),
        ("+852 2345 6789", "+85223456789"),
        ("0085223456789", "+85223456789"),
    ],
)
def test_phones_are_kept_in_one_spelling(typed, stored):
    assert tenants.checked_phones(typed) == stored
    assert tenants.checked_phones(stored) == stored


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("12345", "12345"),
        ("13800138000;abc", "abc"),
        ("1380013800", "1380013800"),
        ("138001380000", "138001380000"),
        ("13800138000 =cmd()", "=cmd()"),
        ("1380013\x008000", "1380013\\x008000"),
        ("+86 12345678901", "+86"),
        ("138²", "138²"),
        ("没有", "没有"),
    ],
)
def test_a_garbage_phone_is_refused_with_the_part_that_is_none(typed, part):
    with pytest.raises(BadPhone) as refused:
        tenants.checked_phones(typed)

    assert refused.value.params["part"] == part


def test_more_phones_than_a_row_can_use_are_refused():
    with pytest.raises(BadPhone):
        tenants.checked_phones(";".join(f"1380013800{digit}" for digit in range(9)))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("", ""),
        ("11010519491231002X", "11010519491231002X"),
        ("11010519491231002x", "11010519491231002X"),
        ("440524 188001010014", "440524188001010014"),
        ("91350100M000100Y43", "91350100M000100Y43"),
        ("110105491231002", "110105491231002"),
    ],
)
def test_an_id_number_is_a_card_a_credit_code_or_an_old_number(typed, stored):
    assert tenants.checked_id_number(typed) == stored


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("123", "length"),
        ("110105194912310021", "checksum"),
        ("91350100M000100Y44", "checksum"),
        ("110105194913310021", "birth"),
        ("110105199902300015", "birth"),
        ("1101051949123100二X", "characters"),
        ("=cmd()|calc!A1xxxx", "characters"),
        ("9135010OM000100Y43", "characters"),
    ],
)
def test_a_garbage_id_number_is_refused_and_said_why(typed, why):
    with pytest.raises(BadIdNumber) as refused:
        tenants.checked_id_number(typed)

    assert refused.value.params["why"] == why


def test_a_lease_is_two_days_in_order_or_not_said():
    assert tenants.checked_lease("", "") == ("", "")
    assert tenants.checked_lease("2026/1/5", "2027年1月4日") == ("2026-01-05", "2027-01-04")
    assert tenants.checked_lease("", "2027-01-04") == ("", "2027-01-04")


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("2026-02-30", "", "not_a_day"),
        ("soon", "", "not_a_day"),
        ("2027-01-05", "2027-01-04", "order"),
    ],
)
def test_a_lease_that_cannot_be_is_refused(first, last, why):
    with pytest.raises(BadLease) as refused:
        tenants.checked_lease(first, last)

    assert refused.value.params["why"] == why


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("", None), ("0", "0"), ("5", "5"), ("2.50", "2.5"), ("３%", "3"), ("50", "50")],
)
def test_a_fee_is_per_cent_or_the_sites(typed, stored):
    assert tenants.checked_fee_pct(typed) == stored


@pytest.mark.parametrize("typed", ["-1", "50.01", "x", "1e1", "nan", "0.00001", "²"])
def test_a_fee_outside_0_to_50_is_refused(typed):
    with pytest.raises(BadFeePct):
        tenants.checked_fee_pct(typed)


def test_a_note_is_anything_that_prints():
    assert tenants.checked_note(" 二楼东侧 ") == "二楼东侧"
    for text in ("a\nb", "x" * 201):
        with pytest.raises(BadNote):
            tenants.checked_note(text)
