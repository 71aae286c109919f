"""What is printed under a proved sale."""

from decimal import Decimal

import pytest

from engine.config import SiteSection
from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import NoReceipt
from engine.services import receipts

SITE = SiteSection(name="蓝天广场")
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
购电前余额                       5.00 元
购电后余额                     102.97 元
----------------------------------------
操作员                              李娜
"""


@pytest.fixture
def sold(sell, send, settle):
    sent = send(sell(fee_pct=Decimal(2)))
    return settle(sent, Step.CONFIRM, PurchaseState(5, 10_297, 1010))


def test_a_receipt_carries_the_meters_own_values_before_and_after(sold):
    assert receipts.text(sold, "zh_CN", 40, site=SITE) == CHINESE


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize("width", [32, 40, 58])
def test_every_line_fits_and_pairs_reach_both_edges(sold, language, width):
    lines = receipts.text(sold, language, width, site=SITE).splitlines()

    assert max(map(receipts.columns, lines)) == width
    assert all(receipts.columns(line) == width for line in lines[2:])


def test_what_does_not_fit_beside_its_label_goes_below_and_is_cut_never_lost(
    sell, prove, add_meter
):
    name = "一个名字长得任何一张纸条都印不下的茶馆"
    sold = prove(sell(to=add_meter("202611230002", tenant=name)))

    text = receipts.text(sold, "zh_CN", 24, site=SITE)

    assert max(map(receipts.columns, text.splitlines())) == 24
    assert name in "".join(line.strip() for line in text.splitlines())


def test_an_english_receipt_has_english_words(sold):
    text = receipts.text(sold, "en", 40, site=SITE)

    assert "Balance after                102.97 yuan" in text
    assert "RECEIPT" in text


def test_a_reprint_says_so(sold):
    assert "（补打）" in receipts.text(sold, "zh_CN", 32, site=SITE, reprint=True)
    assert "（补打）" not in receipts.text(sold, "zh_CN", 32, site=SITE)


def test_the_tenant_is_who_had_the_meter_when_it_was_sold_to(sold, clock):
    from models.accounts import Account, Installation  # noqa: PLC0415 (this test only)
    from models.base import write_transaction  # noqa: PLC0415

    moved_at = clock.advance(days=1)
    with write_transaction():
        Installation.update(closed_at=moved_at).execute()
        heir = Account.create(number="T9", name="新租户", opened_at=moved_at)
        Installation.create(meter=sold.meter, account=heir, opened_at=moved_at)

    assert "张三丰茶馆" in receipts.text(sold, "zh_CN", 32, site=SITE)


def test_a_sale_that_is_not_proved_has_no_receipt(sell):
    with pytest.raises(NoReceipt):
        receipts.text(sell(), "zh_CN", 32, site=SITE)
