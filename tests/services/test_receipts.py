"""What is printed under a proved command, and the code that vouches for it."""

import datetime as dt
from decimal import Decimal

import pytest

from engine import security
from engine.config import MoneySection, SiteSection
from engine.domain import receipt_code
from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import NoReceipt, NoSuchCommand, NoSuchReceipt
from engine.services import (
    clearing,
    operators,
    paper,
    receipt_page,
    receipt_text,
    receipts,
    refunding,
    selling,
    transferring,
)
from engine.services.receipt_page import Mark, Page
from models.accounts import Account, Installation
from models.base import write_transaction
from models.commands import Command, Receipt
from models.enums import CommandKind, CommandState, PayKind, Role
from tests.scanned import HALVES, printed, scanned

SITE = SiteSection(name="蓝天广场")
MONEY = MoneySection(approve_refund_fen=10_000_000, approve_reversal_fen=10_000_000)
BASE = PurchaseState(4, 500, 1000)
CHINESE = """\
                蓝天广场
              售 电 收 据
----------------------------------------
编号                     20261123-000001
时间                 2026-11-23 09:00:00
商铺                               A-101
租户                    T0001 张三丰茶馆
电表                        202611230001
----------------------------------------
实收                           100.00 元
付款方式                            现金
手续费                           2.00 元
写入电表                        98.00 元
----------------------------------------
购电次数                          4 -> 5
操作前余额                       5.00 元
操作后余额                     102.97 元
----------------------------------------
操作员                              李娜
"""
REFUND = """\
            蓝天广场
            退 电 单
--------------------------------
编号             20261123-000001
时间         2026-11-23 09:00:00
商铺                       A-101
租户            T0001 张三丰茶馆
电表                202611230001
--------------------------------
电表退出                 3.00 元
应退款                   3.00 元
付款方式                    现金
原因                        搬走
--------------------------------
购电次数                       4
操作前余额               5.00 元
操作后余额               2.00 元
--------------------------------
操作员                      李娜
"""


def page(width: int = 40, language: str = "zh_CN", **more: object) -> Page:
    return Page(SITE, language, width, **more)


def text(command: Command, at: Page) -> str:
    receipt = receipts.of(command)
    return "\n".join(receipt_text.text_lines(receipt, at)) + "\n"


def drawn(command: Command, at: Page) -> str:
    return receipt_text.draw(receipts.of(command), at)


def said(code: str) -> receipt_code.Facts:
    return receipt_code.read(code, security.receipt_key(security.chain_key()))


@pytest.fixture
def sold(sell, send, settle):
    sent = send(sell(fee_pct=Decimal(2)))
    return settle(sent, Step.CONFIRM, PurchaseState(5, 10_297, 1010))


@pytest.fixture
def lower(send, settle):
    """Carry a command that lowers a balance to its meter, where it is obeyed."""

    def one(command: Command, before: PurchaseState = BASE) -> Command:
        sent = send(command, before)
        after = PurchaseState(before.count, sent.target_fen, before.energy_wh)
        return settle(sent, Step.CONFIRM, after)

    return one


@pytest.fixture
def refunded(meter, operator, lower):
    return lower(
        refunding.refund(meter.serial, 300, PayKind.CASH, "搬走", operator, "f1", money=MONEY)
    )


@pytest.fixture
def pay_for(add_meter, operator, clock):
    """Sell 30 yuan to each of some meters of one tenant, in one payment."""

    def one(meters: int = 3) -> list[Command]:
        first = add_meter("202611230001")
        account = Account.get()
        for number in range(2, meters + 1):
            more = add_meter(f"20261123000{number}", tenant="")
            with write_transaction():
                Installation.create(meter=more, account=account, opened_at=clock.at)
        parts = dict.fromkeys((f"20261123000{n}" for n in range(1, meters + 1)), 3000)
        assert first.serial in parts
        payment = selling.sell_to_tenant(
            account.number, parts, PayKind.WECHAT, operator, "p1", money=MONEY
        )
        return selling.legs_of(payment)

    return one


def test_a_receipt_carries_the_meters_own_values_before_and_after(sold):
    assert text(sold, page()) == CHINESE


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize("width", [32, 48, 80])
def test_every_line_fits_and_pairs_reach_both_edges(sold, language, width):
    lines = text(sold, page(width, language)).splitlines()

    assert max(map(paper.columns, lines)) == width
    assert all(paper.columns(line) == width for line in lines[2:])


@pytest.mark.parametrize("width", receipt_page.WIDTHS.values())
def test_code_and_qr_fit_every_paper(sold, width):
    lines = drawn(sold, page(width)).splitlines()

    assert max(map(paper.columns, lines)) == width
    assert sum("█" in line for line in lines) >= 12


@pytest.mark.peer
@pytest.mark.parametrize("width", receipt_page.WIDTHS.values())
def test_zbar_reads_the_code_off_the_printed_receipt(sold, tmp_path, width):
    lines = drawn(sold, page(width)).splitlines()

    picture = [line for line in lines if line.strip() and set(line) <= set(HALVES)]
    assert scanned(printed(picture, width), tmp_path) == receipts.code(receipts.of(sold))


@pytest.mark.parametrize("width", receipt_page.WIDTHS.values())
def test_a_hundred_chinese_characters_are_cut_into_lines_never_lost(sell, prove, add_meter, width):
    name = "春夏秋冬电表茶馆商场" * 10
    sold = prove(sell(to=add_meter("202611230002", tenant=name)))

    lines = drawn(sold, page(width)).splitlines()

    assert max(map(paper.columns, lines)) == width
    at = next(number for number, line in enumerate(lines) if line.startswith("租户"))
    shown = "".join(line.strip() for line in lines[at : at + 10])
    assert name in shown.replace("租户", "").replace("T0001 ", "") or name in shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("茶\x1b[2J\x1bp馆", "茶?[2J?p馆", id="orders of a terminal and of a printer"),
        pytest.param("茶\n馆\r\x00\x07", "茶?馆???", id="lines and bells"),
        pytest.param("茶\u202e馆\u200b\u2028", "茶?馆??", id="direction marks, invisible signs"),
        pytest.param("=cmd()", "=cmd()", id="a formula is text on paper"),
        pytest.param("{unit} %s", "{unit} %s", id="no template either"),
    ],
)
def test_nothing_in_a_name_reaches_the_printer_as_an_order(sell, prove, add_meter, name, shown):
    sold = prove(sell(to=add_meter("202611230002", tenant=name)))

    whole = drawn(sold, page(48))

    assert shown in whole
    assert {char for char in whole if not char.isprintable()} == {"\n"}


def test_the_sites_own_name_is_no_order_either(sold):
    at = Page(SiteSection(name="蓝天\x1b@广场" * 8), "zh_CN", 32)

    lines = drawn(sold, at).splitlines()

    assert "\x1b" not in "".join(lines)
    assert max(map(paper.columns, lines)) == 32


def test_an_english_receipt_has_english_words_and_dots_on_a_wide_page(sold):
    assert "Balance after                102.97 yuan" in text(sold, page(language="en"))
    wide = text(sold, page(80, "en"))
    assert f"Balance after {'.' * 54} 102.97 yuan" in wide
    assert "RECEIPT" in wide


def test_a_reprint_says_so_and_which_when_and_by_whom(sold, clock):
    mark = Mark("reprint", clock.advance(days=2), 3, "王强")

    lines = text(sold, page(32, mark=mark)).splitlines()

    assert lines[2].strip() == "（补打 第 3 次）"
    assert lines[3].strip() == "2026-11-25 09:00:00 王强"
    assert "补打" not in text(sold, page(32))


def test_a_refund_slip_names_amount_reason_and_what_is_left(refunded):
    assert text(refunded, page(32)) == REFUND


def test_a_refund_slip_drawn_after_the_pay_out_says_that_it_was_paid(refunded, operator):
    refunding.pay_out(refunded.id, PayKind.CASH, operator, money=MONEY)

    assert "已退款                   3.00 元" in text(refunded, page(32))


def test_a_second_person_is_named(meter, operator, lower, clock):
    boss = operators.create("周敏", "correct horse", Role.SUPERVISOR, at=clock.at)
    command = refunding.refund(
        meter.serial, 300, PayKind.CASH, "搬走", operator, "f1",
        money=MoneySection(approve_refund_fen=100), approver=boss,
    )  # fmt: skip

    assert text(lower(command), page(32)).splitlines()[-1] == "复核人                      周敏"


def test_a_reversal_names_the_receipt_it_cancels_and_gives_the_fee_back(sold, operator, lower):
    command = refunding.reverse(sold.id, "输错了", operator, "v1", money=MONEY)
    reversed_ = lower(command, PurchaseState(5, 10_297, 1010))

    shown = text(reversed_, page(32))

    assert "冲 正 单" in shown
    assert "冲正收据         20261123-000001" in shown
    assert "编号             20261123-000002" in shown
    assert "电表退出                98.00 元" in shown
    assert "应退款                 100.00 元" in shown
    assert "操作后余额               4.97 元" in shown


def test_only_the_leg_that_credits_has_a_slip_and_it_names_the_old_meter(
    meter, add_meter, clock, lower, prove
):
    boss = operators.create("周敏", "correct horse", Role.SUPERVISOR, at=clock.at)
    add_meter("202611230002")
    transferring.begin(meter.serial, "202611230002", None, "换铺", boss, "t1", money=MONEY)
    first = lower(Command.get(Command.kind == CommandKind.TRANSFER_OUT))
    second = prove(Command.get(Command.kind == CommandKind.TRANSFER_IN))

    shown = text(second, page(32))

    assert receipts.of(first) is None
    assert "金 额 转 入 单" in shown
    assert "转出电表            202611230001" in shown
    assert "电表                202611230002" in shown
    assert "转入金额                 5.00 元" in shown


def test_a_cleared_balance_has_no_receipt(meter, operator, lower):
    command = clearing.clear(meter.serial, "销户", operator, "c1", money=MONEY)

    cleared = lower(command, PurchaseState(4, 37, 1000))

    assert cleared.state is CommandState.APPLIED
    assert Receipt.select().count() == 0


def test_a_payment_has_one_receipt_which_lists_every_sale_as_it_stands(
    pay_for, prove, send, settle
):
    one, two, three = pay_for()
    prove(one)
    settle(send(two), Step.KEEP, None, "no_reply")

    early = text(one, page(32))
    assert early.count("202611230001") == 1
    assert "其中已写入              30.00 元" in early
    assert "其中结果未知            60.00 元" in early
    assert early.count("结果                    结果未知") == 2

    settle(two, Step.REFUSE, PurchaseState(4, 500, 1000), "not_applied")
    settle(send(three), Step.SUSPEND, PurchaseState(9, 500, 1000), "count_moved")
    late = text(three, page(32))
    assert "其中退回                30.00 元" in late
    assert "结果              未写入，款已退" in late
    assert "其中待查                30.00 元" in late
    assert "实收                    90.00 元" in late
    assert "付款方式                    微信" in late
    assert Receipt.select().count() == 1
    assert {receipts.of(leg).number for leg in (one, two, three)} == {"20261123-000001"}


def test_the_code_of_a_payment_vouches_for_what_is_proved_by_then(pay_for, prove):
    one, two, three = pay_for()
    prove(two)
    receipt = receipts.of(one)
    assert (said(receipts.code(receipt)).meters, said(receipts.code(receipt)).amount_fen) == (
        1, 3000,
    )  # fmt: skip

    prove(one)
    prove(three)
    facts = said(receipts.code(receipt))
    assert (facts.kind, facts.meters, facts.amount_fen) == ("payment", 3, 9000)
    assert facts.serial == "202611230001"


def test_the_code_says_what_the_paper_says(sold):
    receipt = receipts.of(sold)
    code = receipts.code(receipt)
    lines = drawn(sold, page(32)).splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip() == "收据验证码")
    printed = "".join(lines[at + 1 : at + 3])

    assert said(printed) == said(code)
    assert said(code) == receipt_code.Facts(
        number="20261123-000001",
        kind="sell",
        serial="202611230001",
        meters=1,
        amount_fen=9_800,
        fee_fen=200,
        count_after=5,
        issued_at=dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC),
    )


def test_a_meter_whose_number_no_code_can_carry_still_has_its_paper(sell, prove, add_meter):
    sold = prove(sell(to=add_meter("A-7")))

    assert receipts.code(receipts.of(sold)) == ""
    assert drawn(sold, page(32)) == text(sold, page(32))


def test_signs_are_drawn_where_they_fit_and_nothing_where_they_do_not(sold):
    assert "##" in drawn(sold, page(80, qr="signs"))
    assert "#" not in drawn(sold, page(48, qr="signs"))
    assert not set("█▀▄#") & set(drawn(sold, page(48, qr="none")))


def test_a_receipt_is_found_by_its_number_or_its_command(sold):
    receipt = receipts.of(sold)

    assert receipts.find("20261123-000001") == receipt
    assert receipts.find(f" {sold.id} ") == receipt


@pytest.mark.parametrize(
    ("named", "error"),
    [("20261123-000099", NoSuchReceipt), ("=cmd()", NoSuchReceipt), ("99", NoSuchCommand),
     ("9" * 400, NoSuchCommand), ("", NoSuchReceipt), ("１", NoSuchReceipt)],
)  # fmt: skip
def test_what_is_not_there_is_named(sold, named, error):
    with pytest.raises(error):
        receipts.find(named)


def test_the_tenant_is_who_had_the_meter_when_it_was_sold_to(sold, clock):
    moved_at = clock.advance(days=1)
    with write_transaction():
        Installation.update(closed_at=moved_at).execute()
        heir = Account.create(number="T9", name="新租户", opened_at=moved_at)
        Installation.create(meter=sold.meter, account=heir, opened_at=moved_at)

    assert "张三丰茶馆" in text(sold, page(32))


def test_a_sale_that_is_not_proved_has_no_receipt(sell):
    command = sell()

    assert receipts.of(command) is None
    with pytest.raises(NoReceipt):
        receipts.find(str(command.id))
