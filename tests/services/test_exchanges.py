"""What a meter exchange refuses, and the books of a hand reading; no meter is asked here."""

import pytest

from engine.config import Config
from engine.domain.counted import PurchaseState, Step
from engine.domain.errors import (
    ApprovalNeeded,
    CommandOpen,
    Forbidden,
    MeterFrozen,
    MeterInExchange,
    NoReason,
    NoSuchExchange,
    NotApprovable,
    NotExchangeable,
    NotOpened,
    NotPrepaid,
    RequestIdReused,
)
from engine.services import exchanges, ledger, operators, verify
from engine.services.exchanges import Naming
from models.accounts import Account, Installation, PlannedMeter
from models.base import write_transaction
from models.cases import Exchange
from models.commands import Command, Transfer
from models.enums import AccountKind, ExchangeStep, MeterKind, Role
from models.site import Meter
from tests.conftest import MORNING

NEW = "202611230099"
CONFIG = Config()
ZONE = CONFIG.site.zone


@pytest.fixture
def engineer(db, clock):
    return operators.create("赵工", "correct horse", Role.ENGINEER, at=MORNING)


@pytest.fixture
def chief(db, clock):
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=MORNING)


@pytest.fixture
def exchange(meter, engineer, poll):
    """Begun, of a meter that said 1.00 kWh and 5.00 yuan once."""
    poll(meter)
    return exchanges.begin(meter.serial, "损坏", engineer, "e1")


@pytest.fixture
def read_by_hand(exchange, engineer, chief):
    return exchanges.by_hand(
        exchange.id, 2_000, 300, "抄表单 7", engineer, zone=ZONE, approver=chief
    )


def credit(serial):
    return ledger.balance_of(ledger.meter_credit(serial))


def of_kind(kind):
    return ledger.balance_of(ledger.account(kind))


def refuses(picture, error, deed, why=None):
    """`deed` is refused, and nothing has changed."""
    before = picture()
    with pytest.raises(error) as refusal:
        deed()
    assert picture() == before
    if why is not None:
        assert refusal.value.params["why"] == why


def test_only_who_may_exchange_begins_one(meter, operator, picture):
    refuses(picture, Forbidden, lambda: exchanges.begin(meter.serial, "x", operator, "e1"))


def test_an_exchange_needs_a_reason(meter, engineer, picture):
    refuses(picture, NoReason, lambda: exchanges.begin(meter.serial, " \n", engineer, "e1"))


def test_a_meter_on_nobodys_account_is_not_exchanged(add_meter, engineer, picture):
    meter = add_meter(tenant="")

    refuses(picture, NotOpened, lambda: exchanges.begin(meter.serial, "x", engineer, "e1"))


def test_an_ordinary_meter_is_not_exchanged_here(add_meter, engineer, picture):
    meter = add_meter(kind=MeterKind.ORDINARY)

    refuses(picture, NotPrepaid, lambda: exchanges.begin(meter.serial, "x", engineer, "e1"))


def test_a_meter_with_a_command_in_suspense_is_decided_first(
    meter, engineer, sell, send, settle, picture
):
    settle(send(sell()), Step.SUSPEND, PurchaseState(9, 1, 1000))
    before = picture()

    with pytest.raises(MeterFrozen):
        exchanges.begin(meter.serial, "损坏", engineer, "e1")

    assert picture() == before


def test_a_stopped_meter_that_will_never_answer_again_is_read_by_hand(meter, engineer, chief, poll):
    poll(meter)
    Meter.update(frozen=True).where(Meter.id == meter.id).execute()
    exchange = exchanges.begin(meter.serial, "烧毁", engineer, "e1")

    exchanges.by_hand(exchange.id, 2_000, 300, "抄表单 7", engineer, zone=ZONE, approver=chief)

    assert Transfer.get().amount_fen == 300
    assert verify.faults() == []


def test_a_sale_under_way_is_waited_for(meter, engineer, sell, picture):
    sell()

    refuses(picture, CommandOpen, lambda: exchanges.begin(meter.serial, "x", engineer, "e1"))


def test_a_meter_is_in_one_exchange_at_a_time(exchange, meter, engineer, picture):
    refuses(picture, MeterInExchange, lambda: exchanges.begin(meter.serial, "x", engineer, "e2"))


def test_the_same_request_begins_one_exchange(exchange, meter, engineer, add_meter, picture):
    other = add_meter("202611230002")

    assert exchanges.begin(meter.serial, "损坏", engineer, "e1") == exchange
    refuses(picture, RequestIdReused, lambda: exchanges.begin(other.serial, "x", engineer, "e1"))


def test_nothing_is_sold_to_a_meter_being_exchanged(exchange, sell, picture):
    refuses(picture, MeterInExchange, sell)


def test_a_cancelled_exchange_leaves_the_meter_as_it_was(exchange, engineer, sell):
    ended = exchanges.cancel(exchange.id, engineer)

    assert (ended.step, ended.finished_at) == (ExchangeStep.CANCELLED, MORNING)
    assert sell().amount_fen == 10_000


def test_an_exchange_that_is_over_is_not_cancelled(exchange, engineer, picture):
    exchanges.cancel(exchange.id, engineer)

    refuses(picture, NotExchangeable, lambda: exchanges.cancel(exchange.id, engineer), "over")


def test_an_exchange_nobody_began_is_not_there(engineer, picture):
    refuses(picture, NoSuchExchange, lambda: exchanges.cancel(77, engineer))
    refuses(picture, NoSuchExchange, lambda: exchanges.advance(77, engineer, config=CONFIG))


def test_it_asks_for_one_reading_however_often_it_is_asked(exchange, engineer):
    for _ in range(3):
        progress = exchanges.advance(exchange.id, engineer, config=CONFIG)

    assert progress.waits.code == "command"
    assert Command.select().count() == 1


def test_a_hand_reading_splits_the_credit_into_use_and_what_moves(read_by_hand, meter):
    assert read_by_hand.step is ExchangeStep.IDENTITY
    assert read_by_hand.by_hand
    assert of_kind(AccountKind.REVENUE) == 200
    assert ledger.balance_of(ledger.clearing(read_by_hand.transfer)) == 300
    assert credit(meter.serial) == 0
    assert verify.faults() == []


def test_a_hand_reading_needs_a_second_person(exchange, engineer, chief, operator, picture):
    def by_hand(approver):
        return lambda: exchanges.by_hand(
            exchange.id, 2_000, 300, "x", engineer, zone=ZONE, approver=approver
        )

    refuses(picture, ApprovalNeeded, by_hand(None))
    refuses(picture, NotApprovable, by_hand(engineer))
    refuses(picture, NotApprovable, by_hand(operator))


@pytest.mark.parametrize(
    ("energy_wh", "balance_fen", "why"),
    [(999, 300, "energy_fell"), (2_000, 501, "more_than_books")],
)
def test_a_hand_reading_against_what_is_known_is_refused(
    exchange, engineer, chief, picture, energy_wh, balance_fen, why
):
    refuses(
        picture,
        NotExchangeable,
        lambda: exchanges.by_hand(
            exchange.id, energy_wh, balance_fen, "x", engineer, zone=ZONE, approver=chief
        ),
        why,
    )


def test_a_hand_reading_needs_its_evidence(exchange, engineer, chief, picture):
    refuses(
        picture,
        NoReason,
        lambda: exchanges.by_hand(exchange.id, 2_000, 300, "", engineer, zone=ZONE, approver=chief),
    )


def test_arrears_of_a_dead_meter_are_written_off_by_two_persons(exchange, engineer, chief, meter):
    exchanges.by_hand(exchange.id, 2_000, -150, "照片", engineer, zone=ZONE, approver=chief)

    assert of_kind(AccountKind.WRITE_OFF) == 150
    assert of_kind(AccountKind.REVENUE) == 650
    assert credit(meter.serial) == 0
    assert Transfer.select().count() == 0
    assert verify.faults() == []


def test_a_meter_never_read_is_known_by_its_hand_reading(meter, engineer, chief):
    exchange = exchanges.begin(meter.serial, "x", engineer, "e1")

    exchanges.by_hand(exchange.id, 2_000, 300, "照片", engineer, zone=ZONE, approver=chief)

    assert of_kind(AccountKind.TAKE_OVER) == 300
    assert credit(meter.serial) == 0
    assert verify.faults() == []


def test_a_hand_reading_is_taken_once(read_by_hand, engineer, chief, picture):
    refuses(
        picture,
        NotExchangeable,
        lambda: exchanges.by_hand(
            read_by_hand.id, 2_000, 300, "x", engineer, zone=ZONE, approver=chief
        ),
        "money_moved",
    )
    refuses(
        picture, NotExchangeable, lambda: exchanges.cancel(read_by_hand.id, engineer), "money_moved"
    )


def test_the_new_meter_is_named_after_the_last_reading_only(exchange, engineer, picture):
    refuses(
        picture,
        NotExchangeable,
        lambda: exchanges.name_new(exchange.id, Naming(NEW), engineer),
        "not_now",
    )


@pytest.mark.parametrize(
    ("serial", "options", "why"),
    [
        ("12345", {}, "bad_serial"),
        ("=cmd()|' /C calc'!A0", {}, "bad_serial"),
        ("二〇二六" * 40, {}, "bad_serial"),
        ("202611230001", {}, "same_meter"),
        (NEW, {"line": "\x1b[2J"}, "no_line"),
        (NEW, {"address": 0}, "bad_address"),
        (NEW, {"address": 248}, "bad_address"),
        (NEW, {"model": "XX-1", "models": frozenset({"DDSY1352-NK"})}, "unknown_model"),
    ],
)
def test_a_new_meter_that_cannot_be_is_refused(
    read_by_hand, engineer, picture, serial, options, why
):
    models = options.pop("models", None)

    refuses(
        picture,
        NotExchangeable,
        lambda: exchanges.name_new(
            read_by_hand.id, Naming(serial, **options), engineer, models=models
        ),
        why,
    )


@pytest.mark.parametrize("why", ["in_use", "retired", "planned", "not_prepaid", "frozen"])
def test_a_known_meter_that_is_not_free_is_refused(
    read_by_hand, engineer, add_meter, picture, clock, why
):
    fields = {"kind": MeterKind.ORDINARY} if why == "not_prepaid" else {"frozen": why == "frozen"}
    other = add_meter(NEW, tenant="茶馆" if why in ("in_use", "retired") else "", **fields)
    with write_transaction():
        if why == "retired":
            Installation.update(closed_at=clock.at).where(Installation.meter == other).execute()
            Meter.update(retired_at=clock.at).where(Meter.id == other.id).execute()
        if why == "planned":
            account = Account.get()
            PlannedMeter.create(account=account, meter=other, planned_at=clock.at)

    refuses(
        picture,
        NotExchangeable,
        lambda: exchanges.name_new(read_by_hand.id, Naming(NEW), engineer),
        why,
    )


def test_an_address_of_another_meter_is_refused(read_by_hand, engineer, add_meter, picture):
    add_meter("202611230002")

    refuses(
        picture,
        NotExchangeable,
        lambda: exchanges.name_new(read_by_hand.id, Naming(NEW, address=2), engineer),
        "address_taken",
    )


def test_a_named_meter_stands_at_the_old_ones_place_and_is_opened_for_nobody(
    read_by_hand, engineer, meter
):
    exchanges.name_new(read_by_hand.id, Naming("２０２６ １１２３ ００９９"), engineer)

    new = Meter.get(Meter.serial == NEW)
    assert (new.line, new.address, new.model) == (meter.line, meter.address, meter.model)
    assert Meter.get_by_id(meter.id).retired_at == MORNING
    assert not Installation.select().where(Installation.meter == new).exists()


def test_a_meter_named_by_mistake_can_be_named_later(read_by_hand, engineer, meter):
    exchanges.name_new(read_by_hand.id, Naming("202611230098"), engineer)
    exchanges.name_new(read_by_hand.id, Naming(NEW, address=9), engineer)

    assert Meter.get_by_id(meter.id).retired_at is None
    assert Meter.get(Meter.serial == "202611230098").retired_at == MORNING

    exchanges.name_new(read_by_hand.id, Naming("202611230098"), engineer)

    assert Meter.get(Meter.serial == "202611230098").retired_at is None
    assert Meter.get(Meter.serial == NEW).retired_at == MORNING
    assert Exchange.get().new.serial == "202611230098"


def test_an_exchange_to_a_meter_in_use_is_not_begun(meter, add_meter, engineer, picture):
    other = add_meter("202611230002")

    def begin():
        exchanges.begin(meter.serial, "x", engineer, "e1", new=Naming(other.serial))

    refuses(picture, NotExchangeable, begin, "in_use")


def test_a_meter_said_at_the_beginning_is_named_when_its_time_has_come(
    meter, poll, engineer, chief
):
    poll(meter)
    exchange = exchanges.begin(meter.serial, "x", engineer, "e1", new=Naming(NEW))
    exchanges.by_hand(exchange.id, 2_000, 300, "照片", engineer, zone=ZONE, approver=chief)

    progress = exchanges.advance(exchange.id, engineer, config=CONFIG)

    assert progress.exchange.new.serial == NEW
    assert progress.waits.code == "command"


def test_a_meter_said_at_the_beginning_and_opened_meanwhile_waits_for_another(
    meter, poll, engineer, chief, add_meter
):
    poll(meter)
    exchange = exchanges.begin(meter.serial, "x", engineer, "e1", new=Naming(NEW))
    add_meter(NEW)
    exchanges.by_hand(exchange.id, 2_000, 300, "照片", engineer, zone=ZONE, approver=chief)

    progress = exchanges.advance(exchange.id, engineer, config=CONFIG)

    assert progress.waits.code == "rule"
    assert progress.waits.error.params["why"] == "in_use"


def test_a_named_meter_that_an_import_gave_to_a_tenant_stays_his(read_by_hand, engineer, clock):
    exchanges.name_new(read_by_hand.id, Naming(NEW), engineer)
    new = Meter.get(Meter.serial == NEW)
    with write_transaction():
        Installation.create(meter=new, account=Account.get(), opened_at=clock.at)

    exchanges.name_new(read_by_hand.id, Naming("202611230098", address=9), engineer)

    assert Meter.get_by_id(new.id).retired_at is None
    assert Exchange.get().new.serial == "202611230098"
