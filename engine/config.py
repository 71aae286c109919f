"""config.toml -> frozen dataclasses. An error names file, key and remedy; nothing is guessed."""

import dataclasses
import tomllib
import zoneinfo
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, get_type_hints

from models.enums import PayKind


class ConfigError(Exception):
    """config.toml cannot be used. `code` names the catalog text under `config.`."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(f"{code}: {params}")
        self.code = code
        self.params = params


@dataclass(frozen=True)
class SiteSection:
    name: str = "Voltill"
    timezone: str = "Asia/Shanghai"

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.timezone)


@dataclass(frozen=True)
class CollectionSection:
    interval_s: int = 1800  # a sweep; a line or meter may have its own, 60 at least
    frame_life_s: int = 5  # how long a frame may lie in a gateway
    settings_interval_s: int = 86_400  # what meters hold is read back this often at least
    settings_at: str = "02:30"  # and every night from this local time on; empty: not by the clock
    probe_max_s: int = 600  # longest pause between probes of a lost meter


@dataclass(frozen=True)
class MoneySection:
    undo_s: int = 60
    ceiling_fen: int = 1_000_000  # most credit a meter may hold (囤积)
    fee_pct: Decimal = Decimal(0)
    writes_max: int = 3  # frames of one sale, each after proof that the one before did nothing
    pay_kinds: str = "cash,card,transfer,wechat,alipay"  # offered at the counter, in this order
    approve_refund_fen: int = 200_000  # from this amount on a second person approves
    approve_reversal_fen: int = 200_000
    approve_adjustment_fen: int = 0  # tray decisions, hand readings, write-offs
    drift_limit_fen: int = 500  # balance and books may part by so much before it is an alarm

    @property
    def pays(self) -> tuple[PayKind, ...]:
        return tuple(PayKind(name.strip()) for name in self.pay_kinds.split(","))


@dataclass(frozen=True)
class ReceiptsSection:
    paper: str = "80"  # 58 or 80 (mm), or A4
    printer: str = ""  # a command that gets the text on its standard input; empty: a file
    language: str = "auto"  # auto, zh_CN, en
    copies: bool = True  # print by itself when a sale is proved
    qr: str = "blocks"  # half blocks; signs: ## of any printer, where they fit; none
    encoding: str = "utf-8"  # utf-8 or gb18030: what the printer reads


@dataclass(frozen=True)
class DefaultsSection:
    """What an opened meter is to have unless its own row says otherwise; prices yuan/kWh."""

    price_sharp: Decimal = Decimal("1.2000")
    price_peak: Decimal = Decimal("1.0000")
    price_flat: Decimal = Decimal("0.7000")
    price_valley: Decimal = Decimal("0.4000")
    alarm1_fen: int = 2000
    alarm2_fen: int = 500
    overdraft_fen: int = 0  # credit below zero before a meter opens its relay
    overload_w: int = 0  # 0: not looked after

    @property
    def prices(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Sharp, peak, flat, valley: the order of all rates."""
        return self.price_sharp, self.price_peak, self.price_flat, self.price_valley


@dataclass(frozen=True)
class ControlSection:
    """Verbs over meters, besides money."""

    switch_expires_s: int = 300  # a trip, hold or resume that was not sent by then never is
    second_from: int = 20  # meters: from so many on a batch that trips or holds needs two persons
    emergency_max_h: int = 12  # longest hold by who has no right over money
    price_ask_from: Decimal = Decimal("5.0000")  # yuan/kWh: dearer ones are asked about


@dataclass(frozen=True)
class GuardSection:
    """Who would run out while nobody can sell (不断电保护). Local times of the office."""

    enabled: bool = False
    opens: str = "09:00"
    closes: str = "18:00"
    weekends: bool = False  # is the office open on weekends
    holidays: bool = False  # and on holidays


@dataclass(frozen=True)
class ConsoleSection:
    language: str = "auto"  # auto, zh_CN, en


@dataclass(frozen=True)
class MetersSection:
    cipher_key: str = "616372656C333231"  # 16 hex digits; the makers' tool presets this one


@dataclass(frozen=True)
class Config:
    site: SiteSection = field(default_factory=SiteSection)
    collection: CollectionSection = field(default_factory=CollectionSection)
    money: MoneySection = field(default_factory=MoneySection)
    receipts: ReceiptsSection = field(default_factory=ReceiptsSection)
    defaults: DefaultsSection = field(default_factory=DefaultsSection)
    control: ControlSection = field(default_factory=ControlSection)
    guard: GuardSection = field(default_factory=GuardSection)
    console: ConsoleSection = field(default_factory=ConsoleSection)
    meters: MetersSection = field(default_factory=MetersSection)


LANGUAGES = ("auto", "zh_CN", "en")
LIMITS = {  # smallest and largest allowed, both inclusive
    "collection.interval_s": (60, 86_400),
    "collection.frame_life_s": (1, 120),
    "collection.settings_interval_s": (600, 31_536_000),
    "collection.probe_max_s": (30, 86_400),
    "money.undo_s": (0, 3600),
    "money.ceiling_fen": (100, 99_999_999_99),
    "money.fee_pct": (0, 50),
    "money.writes_max": (1, 10),
    "money.approve_refund_fen": (0, 99_999_999_99),
    "money.approve_reversal_fen": (0, 99_999_999_99),
    "money.approve_adjustment_fen": (0, 99_999_999_99),
    "money.drift_limit_fen": (1, 100_000_000),
    "defaults.price_sharp": (0, 100),
    "defaults.price_peak": (0, 100),
    "defaults.price_flat": (0, 100),
    "defaults.price_valley": (0, 100),
    "defaults.alarm1_fen": (0, 100_000_000),
    "defaults.alarm2_fen": (0, 100_000_000),
    "defaults.overdraft_fen": (0, 100_000_000),
    "defaults.overload_w": (0, 65_535),
    "control.switch_expires_s": (60, 3600),
    "control.second_from": (1, 100_000),
    "control.emergency_max_h": (1, 72),
    "control.price_ask_from": (0, 100),
}


def load(path: Path) -> Config:
    """The settings of a site. Raises ConfigError: missing, not TOML, unknown key, wrong value."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError("missing", file=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("unreadable", file=str(path), why=str(error)) from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("not_toml", file=str(path), why=str(error)) from None
    sections = {entry.name: entry.default_factory for entry in dataclasses.fields(Config)}
    for name, value in tables.items():
        if name not in sections:
            known = ", ".join(sections)
            raise ConfigError("unknown_key", file=str(path), key=name, known=known)
        if not isinstance(value, dict):
            raise ConfigError("wrong_type", file=str(path), key=name, wanted="[table]")
    built = {
        name: _section(path, name, factory, tables.get(name, {}))  # type: ignore[arg-type]  # a class
        for name, factory in sections.items()
    }
    config = Config(**built)
    _check_names(path, config)
    return config


def _section(path: Path, section: str, kind: type, table: dict[str, object]) -> Any:
    types = get_type_hints(kind)
    values = {}
    for name, value in table.items():
        key = f"{section}.{name}"
        if name not in types:
            known = ", ".join(types)
            raise ConfigError("unknown_key", file=str(path), key=key, known=known)
        values[name] = _value(path, key, types[name], value)
    return kind(**values)


def _value(path: Path, key: str, wanted: type, value: object) -> object:
    if wanted is Decimal and isinstance(value, str | int) and not isinstance(value, bool):
        try:
            value = Decimal(value)
        except InvalidOperation:
            raise ConfigError(
                "wrong_type", file=str(path), key=key, wanted='"0.0000"', found=repr(value)
            ) from None
    if type(value) is not wanted:
        kinds = {int: "123", str: '"text"', bool: "true", Decimal: '"0.0000"'}
        raise ConfigError(
            "wrong_type", file=str(path), key=key, wanted=kinds[wanted], found=repr(value)
        )
    if isinstance(value, Decimal) and not value.is_finite():
        raise ConfigError(
            "wrong_type", file=str(path), key=key, wanted='"0.0000"', found=str(value)
        )
    if key in LIMITS:
        low, high = LIMITS[key]
        if not low <= value <= high:  # type: ignore[operator]  # an int or a Decimal
            raise ConfigError(
                "out_of_range", file=str(path), key=key, low=low, high=high, found=str(value)
            )
    return value


def _one_of(path: Path, key: str, found: str, known: tuple[str, ...]) -> None:
    if found not in known:
        raise ConfigError("bad_name", file=str(path), key=key, found=found, known=", ".join(known))


def _time(path: Path, key: str, found: str, *, empty: bool = False) -> None:
    """A local time of day, HH:MM."""
    hour, _, minute = found.partition(":")
    digits = len(found) == 5 and (hour + minute).isascii() and (hour + minute).isdecimal()
    if digits and int(hour) < 24 and int(minute) < 60:
        return
    if not (empty and not found):
        raise ConfigError("bad_name", file=str(path), key=key, found=found, known="00:00 … 23:59")


def _check_names(path: Path, config: Config) -> None:
    """Values that must name something: a time zone, a language, a key of 16 hex digits."""
    for name in config.money.pay_kinds.split(","):
        _one_of(path, "money.pay_kinds", name.strip(), tuple(kind.value for kind in PayKind))
    _time(path, "collection.settings_at", config.collection.settings_at, empty=True)
    _time(path, "guard.opens", config.guard.opens)
    _time(path, "guard.closes", config.guard.closes)
    _one_of(path, "receipts.paper", config.receipts.paper, ("58", "80", "A4"))
    _one_of(path, "receipts.qr", config.receipts.qr, ("blocks", "signs", "none"))
    _one_of(path, "receipts.encoding", config.receipts.encoding, ("utf-8", "gb18030"))
    _one_of(path, "receipts.language", config.receipts.language, LANGUAGES)
    _one_of(path, "console.language", config.console.language, LANGUAGES)
    try:
        config.site.zone  # noqa: B018 (looked up for its error)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            "bad_name",
            file=str(path),
            key="site.timezone",
            found=config.site.timezone,
            known="Asia/Shanghai, Europe/London, UTC, …",
        ) from None
    try:
        fits = len(bytes.fromhex(config.meters.cipher_key)) == 8
    except ValueError:
        fits = False
    if not fits:
        raise ConfigError(
            "bad_name",
            file=str(path),
            key="meters.cipher_key",
            found="(hidden)",
            known="16 hex digits",
        )
