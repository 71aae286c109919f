"""The practice site and its faults."""

import argparse
from decimal import Decimal
from pathlib import Path

from console.arguments.options import Verb
from engine.i18n import t


def add(verb: Verb) -> None:
    simulate = verb("simulate", "practice:simulate")
    simulate.add_argument("path", type=Path, metavar="PATH", help=t("cli.option.tables"))
    simulate.add_argument("--base-port", type=int, metavar="P", help=t("cli.option.base_port"))
    simulate.add_argument("--seed", type=int, default=1, metavar="N", help=t("cli.option.seed"))
    simulate.add_argument("--faults", default="", metavar="SPEC", help=t("cli.option.faults"))
    simulate.add_argument("--no-pacing", action="store_true", help=t("cli.option.no_pacing"))
    simulate.add_argument("--state", type=Path, metavar="FILE", help=t("cli.option.state_file"))
    simulate.add_argument("--control-port", type=int, default=0, metavar="P")
    simulate.add_argument("--while-stdin", action="store_true", help=argparse.SUPPRESS)
    fault = verb("fault", "practice:fault")
    fault.add_argument("--control", type=int, required=True, metavar="P", dest="control_port")
    fault.add_argument("target", metavar="TARGET", help=t("cli.option.target"))
    fault.add_argument("fault", metavar="FAULT", help=t("cli.option.fault"))
    fault.add_argument("options", nargs="*", metavar="OPTION=VALUE")
    demo = verb("demo", "demo:demo")
    demo.add_argument("--headless", action="store_true", help=t("cli.option.headless"))
    demo.add_argument("--for", type=float, dest="for_s", metavar="S", help=t("cli.option.for"))
    demo.add_argument("--dir", type=Path, metavar="DIR", help=t("cli.option.demo_dir"))
    for each in (simulate, demo):
        each.add_argument(
            "--speed", type=_speed, default=1.0, metavar="N", help=t("cli.option.speed")
        )
    files = verb("practice-files", "practice:files")
    files.add_argument("directory", type=Path, metavar="DIR")
    files.add_argument("--base-port", type=int, default=15_001, metavar="P")


def _speed(text: str) -> float:
    value = float(Decimal(text)) if text.replace(".", "", 1).isdigit() else 0.0
    if not 0 < value <= 10_000:
        raise argparse.ArgumentTypeError(f"0 < N <= 10000: {text!r}")
    return value
