"""Which ledger entries each kind of command has in each state: the table `verify` compares with."""

from typing import NamedTuple

from models.enums import AccountKind, CommandKind, CommandState, EntryKind

Purse = tuple[str, str]  # kind and key of a ledger account, as stored
Leg = tuple[Purse, Purse, int]  # debit, credit, fen
Legs = dict[str, Leg]  # by kind of entry
PAYABLE: Purse = (AccountKind.REFUND_PAYABLE.value, "")
FEES: Purse = (AccountKind.FEE_INCOME.value, "")


class Terms(NamedTuple):
    """What a command's row says of its money."""

    kind: str
    state: str
    serial: str
    shift: int | None
    pay: str | None
    amount_fen: int
    fee_fen: int
    transfer: int | None
    base_balance_fen: int | None

    def purse(self, kind: AccountKind) -> Purse:
        """The meter's own account of that kind."""
        return (kind.value, self.serial)

    @property
    def flight(self) -> Purse:
        return self.purse(AccountKind.IN_FLIGHT)

    @property
    def credit(self) -> Purse:
        return self.purse(AccountKind.METER_CREDIT)

    @property
    def suspense(self) -> Purse:
        return self.purse(AccountKind.SUSPENSE)

    @property
    def clearing(self) -> Purse:
        return (AccountKind.CLEARING.value, str(self.transfer))

    @property
    def paid_fen(self) -> int:
        return self.amount_fen + self.fee_fen


def allowed(terms: Terms) -> list[Legs]:
    """Every set of entries that the state of the command may have, its payout apart."""
    if CommandKind(terms.kind).raises:
        return _raising(terms)
    if terms.state == CommandState.APPLIED:
        return [_lowered(terms)]
    return [{}]


def payout_fen(legs: Legs) -> int:
    """What of these entries came to wait for a payout."""
    return sum(fen for _, to, fen in legs.values() if to == PAYABLE)


def _raising(terms: Terms) -> list[Legs]:
    """A sale, or the second leg of a transfer: in flight first, and from there on."""
    if terms.kind == CommandKind.SELL:
        origin: Purse = (AccountKind.CASH.value, f"{terms.shift}:{terms.pay}")
        first: Legs = {EntryKind.SALE.value: (origin, terms.flight, terms.paid_fen)}
        homes: tuple[Purse, ...] = (
            origin,
            PAYABLE,
        )  # payable: where the shift was closed meanwhile
    else:
        origin = terms.clearing
        first = {EntryKind.TRANSFER_IN.value: (origin, terms.flight, terms.paid_fen)}
        homes = (origin,)
    stuck: Legs = {EntryKind.SUSPENSE.value: (terms.flight, terms.suspense, terms.paid_fen)}
    match terms.state:
        case CommandState.APPLIED:
            return [
                first | _credited(terms, terms.flight),
                first | stuck | _credited(terms, terms.suspense),
            ]
        case CommandState.SUSPENSE:
            return [first | stuck]
        case CommandState.REFUSED | CommandState.VOIDED:
            back = EntryKind.RETURNED.value
            decided = EntryKind.DECIDED.value
            return [
                *(first | {back: (terms.flight, home, terms.paid_fen)} for home in homes),
                *(
                    first | stuck | {decided: (terms.suspense, home, terms.paid_fen)}
                    for home in homes
                ),
            ]
    return [first]


def _credited(terms: Terms, held: Purse) -> Legs:
    legs: Legs = {EntryKind.CREDIT.value: (held, terms.credit, terms.amount_fen)}
    if terms.fee_fen:
        legs[EntryKind.FEE.value] = (held, FEES, terms.fee_fen)
    return legs


def _lowered(terms: Terms) -> Legs:
    credit, amount_fen = terms.credit, terms.amount_fen
    match terms.kind:
        case CommandKind.REFUND:
            return {EntryKind.REFUND.value: (credit, PAYABLE, amount_fen)}
        case CommandKind.REVERSE:
            legs: Legs = {EntryKind.REVERSAL.value: (credit, PAYABLE, amount_fen)}
            if terms.fee_fen:
                legs[EntryKind.FEE_REVERSAL.value] = (FEES, PAYABLE, terms.fee_fen)
            return legs
        case CommandKind.TRANSFER_OUT:
            return {EntryKind.TRANSFER_OUT.value: (credit, terms.clearing, amount_fen)}
        case CommandKind.CLEAR:
            rounding: Purse = (AccountKind.ROUNDING.value, "")
            lost: Purse = (AccountKind.WRITE_OFF.value, "")
            owed = (terms.base_balance_fen or 0) < 0
            sides = (lost, credit) if owed else (credit, rounding)
            return {EntryKind.CLEAR.value: (*sides, amount_fen)}
    return {}
