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
    DRIFT = "drift"
    PREPAY_OFF = "prepay_off"
    QUARANTINED = "quarantined"
    LOCKED_OUT = "locked_out"
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

    SELL = "sell"
    READ = "read"

    @property
    def counted(self) -> bool:
        """Carries credit to the meter: never sent twice without proof."""
        return self is CommandKind.SELL


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
    REVENUE = "revenue"
    REFUND_PAYABLE = "refund_payable"
    CLEARING = "clearing"
    ROUNDING = "rounding"
    SUSPENSE = "suspense"  # key: meter serial
    TAKE_OVER = "take_over"  # credit found in a meter at its first accepted reading


class EntryKind(StrEnum):
    SALE = "sale"  # cash -> in flight, the whole payment
    CREDIT = "credit"  # in flight -> meter credit, proved by the read-back
    FEE = "fee"  # in flight -> fee income, with CREDIT
    RETURNED = "returned"  # in flight -> cash, provably not applied or voided
    SUSPENSE = "suspense"  # in flight -> suspense
    TAKE_OVER = "take_over"  # take-over -> meter credit


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
