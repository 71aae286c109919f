"""`voltill status` for a person: the figures of its JSON, in the operator's words."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from console import words
from console.commands.text_table import print_table
from engine.i18n import t
from engine.views.status import STATE_ORDER

COUNTERS = ("load_pct", "requests", "timeouts", "crc_errors", "foreign")
COLUMNS = ("line_name", "gateway", "state", *COUNTERS, "last_good_at")


def show(found: Mapping[str, Any]) -> None:
    """Print what `views.status.status` found."""
    engine, meters, commands = found["engine"], found["meters"], found["commands"]
    print(t(f"cli.status.engine_{engine['state']}", since=_time(engine["since"])))
    states = "  ".join(f"{t(f'state.{state}')} {meters[state]}" for state in STATE_ORDER)
    print(t("cli.status.meters", total=meters["total"], states=states))
    oldest_s = found["oldest_reading_s"]
    print(t("cli.status.oldest", age=words.NOTHING if oldest_s is None else f"{oldest_s} s"))
    asserted_s = found["oldest_assertion_s"]
    age = words.NOTHING if asserted_s is None else f"{asserted_s} s"
    print(t("cli.status.oldest_assertion", age=age))
    print(t("cli.status.commands", **commands))
    if (sweep := found["last_sweep"])["finished_at"] is not None:
        print(t("cli.status.sweep", **sweep | {"at": _time(sweep["finished_at"])}))
    gateways = {line: row["gateway"] for row in found["gateways"] for line in row["lines"]}
    lines = [_line(line, gateways) for line in found["lines"]]
    if lines:
        print()
        print_table([t(f"cli.column.{name}") for name in COLUMNS], lines)


def _line(line: Mapping[str, Any], gateways: Mapping[str, str]) -> list[str]:
    return [
        line["line"],
        gateways[line["line"]],
        t(f"state.line.{line['state']}"),
        *(str(line[name]) for name in COUNTERS),
        _time(line["last_good_at"]),
    ]


def _time(text: str | None) -> str:
    """Day and time as the site's clock has them."""
    return words.NOTHING if text is None else f"{dt.datetime.fromisoformat(text):%m-%d %H:%M:%S}"
