"""May a counted command act on what its meter holds now? Asked with the line in hand."""

from engine.bus.blocks import MeterMap
from engine.bus.driver import order_pdu
from engine.config import MoneySection
from engine.domain.counted import COUNT_MAX, PurchaseState, over_ceiling, provable
from engine.meter_turn import Unfit
from engine.services.clearing import ROUNDED_FEN_MAX
from models.commands import Command
from models.enums import CommandKind


def require_fit(
    command: Command,
    state: PurchaseState,
    tolerance: int,
    meter_map: MeterMap,
    money: MoneySection,
) -> None:
    """Raises Unfit(reason), a code under `error.reason`: nothing may be sent then.

    `tolerance` (fen) is what two reads one after the other may differ by.
    """
    if command.kind.raises:
        _require_room(command, state, meter_map, money)
        return
    if command.kind is CommandKind.CLEAR:
        _require_clearable(command, state.balance_fen, money)
    else:
        _require_enough(command, state)
    target_fen = 0 if command.whole else state.balance_fen - command.amount_fen
    if not provable(state.balance_fen, target_fen, tolerance=tolerance):
        raise Unfit("too_little")


def _require_room(
    command: Command, state: PurchaseState, meter_map: MeterMap, money: MoneySection
) -> None:
    if state.count >= COUNT_MAX:
        raise Unfit("count_exhausted")
    amount_fen = command.amount_fen
    if over_ceiling(state.balance_fen, amount_fen, ceiling_fen=money.ceiling_fen):
        raise Unfit("ceiling")
    try:  # now, while nothing is marked as sent
        values = {"amount_fen": amount_fen, "purchase_count": state.count + 1}
        order_pdu(meter_map.orders["purchase"], values)
    except ValueError:
        raise Unfit("ceiling") from None


def _require_enough(command: Command, state: PurchaseState) -> None:
    balance_fen = state.balance_fen
    if balance_fen <= 0:
        raise Unfit("nothing_left")
    if not command.whole and command.amount_fen > balance_fen:
        raise Unfit("spent")


def _require_clearable(command: Command, balance_fen: int, money: MoneySection) -> None:
    if balance_fen > ROUNDED_FEN_MAX:
        raise Unfit("too_much_to_clear")
    if balance_fen < 0 and _alone(command) and -balance_fen >= money.approve_adjustment_fen:
        raise Unfit("approval_needed")


def _alone(command: Command) -> bool:
    """No second person approved it. The row is not looked up: this thread has no database."""
    return command.__data__["approver"] is None
