"""Every code that is stored or printed as JSON. No database here: the pure rules import this."""

from enum import StrEnum


class MeterState(StrEnum):
    """The one state an operator sees, in the order of `RANK`: the first that fits wins."""

    NOT_OPENED = "not_opened"  # 未开户
    LOST = "lost"  # 失联
    ARREARS = "arrears"  # 欠费
    ALARM2 = "alarm2"  # 报警2
    ALARM1 = "alarm1"  # 报警1
    NORMAL = "normal"  # 开户


class Flag(StrEnum):
    """What is said beside the state; several may hold."""

    OVERLOAD = "overload"
    FORCED_ON = "forced_on"  # 保电
    FORCED_OFF = "forced_off"  # 强制拉闸
    FAULT = "fault"
    UNKNOWN_COMMAND = "unknown_command"
    DRIFT = "drift"  # meter and books disagree
    PREPAY_OFF = "prepay_off"
    QUARANTINED = "quarantined"
    OVERLOAD_LOCKED = "overload_locked"  # no overload trips left: stays open until it is reset
    SETTINGS_DRIFT = "settings_drift"  # holds other prices or settings than are desired of it
    TEMPORARY = "temporary"  # held, or limited, until a time that is set
    LOCKED_OUT = "locked_out"  # 检修挂牌
    PROTECTED = "protected"


class Relay(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    UNKNOWN = "unknown"


class MeterKind(StrEnum):
    PREPAID = "prepaid"
    ORDINARY = "ordinary"


class LinkKind(StrEnum):
    RTU_TCP = "rtu-tcp"
    MODBUS_TCP = "modbus-tcp"
    RFC2217 = "rfc2217"
    SERIAL = "serial"


class Security(StrEnum):
    NONE = "none"
    TRIPLE_DES = "3des"
    TLS = "tls"


class LineState(StrEnum):
    """What the engine knows of a line. Down says nothing about its meters."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


class PayKind(StrEnum):
    CASH = "cash"
    CARD = "card"
    TRANSFER = "transfer"
    WECHAT = "wechat"
    ALIPAY = "alipay"


class CommandKind(StrEnum):
    """An operator's wish. Its class (counted, read, …) decides what a crash may repeat."""

    SELL = "sell"  # 售电
    REFUND = "refund"  # 退电
    REVERSE = "reverse"  # 冲正
    TRANSFER_OUT = "transfer_out"  # 金额转入, the leg that lowers the old meter
    TRANSFER_IN = "transfer_in"  # and the one that raises the new one
    CLEAR = "clear"  # the balance to exactly 0, at the end of an account
    READ = "read"  # 抄表, now
    DOWNLOAD = "download"  # 电价下发 and 设置下发: what is desired of the meter
    CLOCK = "clock"  # 校时
    TRIP = "trip"  # 拉闸
    HOLD = "hold"  # 保电
    RESUME = "resume"  # 恢复预付费
    RECONNECT = "reconnect"  # 合闸: what a hand or an overload opened, closed again

    @property
    def counted(self) -> bool:
        """Changes the credit in a meter: never sent twice without proof."""
        return self.raises or self.lowers

    @property
    def raises(self) -> bool:
        """By a purchase: a delta with the next purchase count."""
        return self in (CommandKind.SELL, CommandKind.TRANSFER_IN)

    @property
    def lowers(self) -> bool:
        """By an absolute balance, which leaves the purchase count alone."""
        return self in (
            CommandKind.REFUND,
            CommandKind.REVERSE,
            CommandKind.TRANSFER_OUT,
            CommandKind.CLEAR,
        )

    @property
    def switch(self) -> bool:
        """Moves the relay: once, soon, or not at all."""
        return self in (
            CommandKind.TRIP,
            CommandKind.HOLD,
            CommandKind.RESUME,
            CommandKind.RECONNECT,
        )

    @property
    def closes(self) -> bool:
        """May close the relay: not while somebody works behind it. Downloads: by what they say.

        A clock too, where the meter has hours of supply: it may be set into them.
        """
        clock = self is CommandKind.CLOCK
        return self.raises or clock or (self.switch and self is not CommandKind.TRIP)


class CommandState(StrEnum):
    QUEUED = "queued"  # written down, nothing sent
    SENT = "sent"  # a frame may be on the wire: only a read-back decides
    UNKNOWN = "unknown"  # sent, and the read-back had no answer: in the tray
    APPLIED = "applied"
    REFUSED = "refused"  # provably not in the meter, money returned
    VOIDED = "voided"  # taken back before anything was sent
    SUSPENSE = "suspense"  # the meter's counter says neither yes nor no: for a person

    @property
    def open(self) -> bool:
        """Still holds the meter: no second counted command may start."""
        return self in (CommandState.QUEUED, CommandState.SENT, CommandState.UNKNOWN)


class Outcome(StrEnum):
    """What `--json` and the receipt say about a command."""

    APPLIED = "applied"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    QUEUED = "queued"


class AccountKind(StrEnum):
    """Ledger accounts; `key` of a LedgerAccount says whose."""

    CASH = "cash"  # key: "<shift id>:<pay kind>"
    IN_FLIGHT = "in_flight"  # key: meter serial; paid, not yet proved in the meter
    METER_CREDIT = "meter_credit"  # key: meter serial; our mirror of the balance register
    FEE_INCOME = "fee_income"
    REVENUE = "revenue"  # energy used, posted at each daily freeze
    REFUND_PAYABLE = "refund_payable"  # out of a meter or in flight no more, not yet paid out
    CLEARING = "clearing"  # key: transfer id; empty when the transfer is finished
    ROUNDING = "rounding"  # what is left in a meter at the end of an account, a few fen
    WRITE_OFF = "write_off"  # arrears that nobody paid at the end of an account
    DEPOSIT = "deposit"  # key: account number; apart from credit
    CASH_DIFFERENCE = "cash_difference"  # key: shift id; counted more or less than expected
    ADJUSTMENT = "adjustment"  # key: meter serial; two persons' decision
    SUSPENSE = "suspense"  # key: meter serial
    TAKE_OVER = "take_over"  # credit found in a meter at its first accepted reading


class EntryKind(StrEnum):
    SALE = "sale"  # cash -> in flight, the whole payment
    CREDIT = "credit"  # in flight -> meter credit, proved by the read-back
    FEE = "fee"  # in flight -> fee income, with CREDIT
    RETURNED = "returned"  # in flight -> cash (its shift closed: refund payable), not applied
    SUSPENSE = "suspense"  # in flight -> suspense
    TAKE_OVER = "take_over"  # take-over -> meter credit
    REFUND = "refund"  # meter credit -> refund payable, proved by the read-back
    REVERSAL = "reversal"  # the same for a sale that should not have been
    FEE_REVERSAL = "fee_reversal"  # fee income -> refund payable, with REVERSAL
    PAYOUT = "payout"  # refund payable -> cash: the money has left the till
    TRANSFER_OUT = "transfer_out"  # meter credit -> clearing
    TRANSFER_IN = "transfer_in"  # clearing -> in flight; then CREDIT, or RETURNED to clearing
    CLEAR = "clear"  # meter credit -> rounding, or write-off -> meter credit
    REVENUE = "revenue"  # meter credit -> revenue: the fall of a balance since the last freeze
    DEPOSIT = "deposit"  # cash -> deposit
    DEPOSIT_RETURNED = "deposit_returned"  # deposit -> cash
    CASH_DIFFERENCE = "cash_difference"  # at a shift's close, either way
    ADJUSTMENT = "adjustment"  # meter credit <-> adjustment, decided by two persons
    DECIDED = "decided"  # suspense -> refund payable or clearing, by two persons


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    SUPERVISOR = "supervisor"
    CASHIER = "cashier"
    ENGINEER = "engineer"
    VIEWER = "viewer"


class Right(StrEnum):
    VIEW = "view"
    SELL = "sell"
    READ = "read"
    REFUND = "refund"
    REVERSE = "reverse"
    TRANSFER = "transfer"
    ACCOUNTS = "accounts"  # open, close, edit tenants
    EXCHANGE = "exchange"  # 换表
    SWITCH = "switch"  # trip, hold, resume, reconnect
    TARIFFS = "tariffs"  # publish prices, set the calendar
    SETTINGS = "settings"  # what meters are to hold besides prices; their clocks
    BATCH = "batch"  # a verb over many meters at once, where the verb itself is allowed
    LOCK_OUT = "lock_out"  # 检修挂牌
    EMERGENCY = "emergency"  # hold one meter for a capped time, without any right over money
    DECIDE = "decide"  # what no read-back could: the tray
    APPROVE = "approve"  # be the second person
    SHIFTS = "shifts"  # see and close other people's shifts
    CONFIGURE = "configure"
    PEOPLE = "people"  # who may sign in, and as what


class EventKind(StrEnum):
    """What a reading or a command showed that a person should know."""

    FOREIGN_PURCHASE = "foreign_purchase"  # the meter's count moved without us
    QUARANTINE = "quarantine"  # a cumulative register fell or jumped: waits for a second read
    REGISTER_FELL = "register_fell"  # and the second read agreed: the lower value counts now
    OTHER_MODEL = "other_model"  # the meter answers as another model
    OTHER_METER = "other_meter"  # the meter answers with another number
    SUSPENSE = "suspense"
    DRIFT = "drift"  # balance and books part by more than the limit
    SETTINGS_DRIFT = "settings_drift"  # a read-back differs from what is desired
    PROTECTED_LOW = "protected_low"  # a protected meter is at an alarm or in arrears
    TEMPORARY_STUCK = "temporary_stuck"  # an order for a time could not be taken back


class InstallationEnd(StrEnum):
    CLOSED = "closed"  # 销户
    MOVED = "moved"  # the tenant went on, or another took over
    EXCHANGED = "exchanged"  # 换表: the shop goes on with another meter


class TransferPurpose(StrEnum):
    MOVE = "move"  # a tenant goes on to another shop, or two meters of one tenant
    EXCHANGE = "exchange"  # 换表
    CONVERSION = "conversion"  # old meters of another system, amounts from a file


class ExchangeStep(StrEnum):
    """Of a meter exchange: the first that is not done."""

    FINAL_READ = "final_read"  # the old meter's last reading, or a signed hand reading
    CLEAR_OLD = "clear_old"  # its balance taken out: the transfer's first leg
    IDENTITY = "identity"  # the new meter says its number, on the line
    TRANSFER = "transfer"  # the balance written to it
    DOWNLOAD = "download"  # price and settings
    READ_BACK = "read_back"  # its first reading under the tenant
    DONE = "done"
    CANCELLED = "cancelled"


class ApprovalState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"


class Verdict(StrEnum):
    """What two persons say of a command that no read-back could decide."""

    APPLIED = "applied"  # it is in the meter
    NOT_APPLIED = "not_applied"  # it is not: the payer gets his money back


class PrintState(StrEnum):
    QUEUED = "queued"
    PRINTING = "printing"  # an engine has it in hand: only that engine says how it ended
    DONE = "done"
    FAILED = "failed"  # tried often enough, or nobody knows whether it came out
    SKIPPED = "skipped"  # [receipts] copies is off


class BatchVerb(StrEnum):
    PRICE = "price"  # 电价下发
    SETTINGS = "settings"  # 设置下发
    HOLD = "hold"  # 保电
    RESUME = "resume"  # 恢复预付费
    TRIP = "trip"  # 拉闸
    RECONNECT = "reconnect"  # 合闸
    CLOCK = "clock"  # 校时
    READ = "read"  # 抄表
    EXPORT = "export"  # 抄表导出

    @property
    def switch(self) -> bool:
        """Moves relays: approved for minutes only, and never gone on with by itself."""
        return self in (BatchVerb.HOLD, BatchVerb.RESUME, BatchVerb.TRIP, BatchVerb.RECONNECT)


class BatchState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class Planned(StrEnum):
    """What the plan says of a meter; only the first is carried out."""

    CHANGE = "change"
    SAME = "same"  # is so already
    UNREACHABLE = "unreachable"  # lost contact, or its line is down
    LOCKED = "locked"  # by an open sale, a lock-out, an exchange or another batch
    REFUSED = "refused"  # protected, ordinary, or the verb is not for it


class ItemState(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"  # its command is written
    APPLIED = "applied"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"  # planned to be left alone, or the batch ended before


class DefaultScope(StrEnum):
    BUILDING = "building"
    MODEL = "model"


class SpecialDayKind(StrEnum):
    HOLIDAY = "holiday"
    WORKDAY = "workday"  # 调休


class ChangeCause(StrEnum):
    VERSION = "version"  # a new version of the tariff is in force
    STEP = "step"
    CYCLE = "cycle"  # steps begin anew
    DAY = "day"  # another kind of day, or season


class TemporaryPurpose(StrEnum):
    EMERGENCY = "emergency"  # supply at night, by who may not touch money
    NO_CUT = "no_cut"  # over the hours in which nobody can sell
    LIMIT = "limit"  # 选择性限电


class TemporaryState(StrEnum):
    BEGINNING = "beginning"
    HELD = "held"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"  # it never began
    STUCK = "stuck"  # it could not be taken back: for a person
