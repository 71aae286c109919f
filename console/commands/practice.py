"""simulate, fault, practice-files: pretend meters to try everything on."""

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from typing import Any

from console.failures import Status
from engine.bus.simulator import control, reference
from engine.bus.simulator.faults import parse_fault
from engine.bus.simulator.main import simulate as serve
from engine.i18n import t
from models.sqlite import StoreError


def simulate(args: argparse.Namespace) -> int:
    """Serve the lines of PATH until told to stop; the ports come as one line of JSON."""
    if args.while_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    asyncio.run(
        serve(
            args.path,
            base_port=args.base_port,
            seed=args.seed,
            faults=args.faults,
            pacing=not args.no_pacing,
            speed=args.speed,
            state=args.state,
            control_port=args.control_port,
            announce=_announce,
        )
    )
    return Status.DONE


def _announce(ports: dict[str, Any]) -> None:
    print(json.dumps(ports, ensure_ascii=False), flush=True)


def _end_with_stdin() -> None:
    """Whoever started us holds the other end: when it is gone, however it went, so are we."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def fault(args: argparse.Namespace) -> int:
    """Inject a fault into a running simulator, by its control port."""
    wanted = parse_fault(" ".join((args.target, args.fault, *args.options)))
    try:
        control.send_fault(args.control_port, wanted)
    except OSError as error:
        raise StoreError("no_simulator", port=args.control_port, why=str(error)) from None
    print(t("cli.fault_set", target=args.target, fault=args.fault))
    return Status.DONE


def files(args: argparse.Namespace) -> int:
    """Write the import tables of the reference site into a directory."""
    reference.write_reference_site(args.directory, args.base_port)
    print(t("cli.files_written", path=args.directory))
    return Status.DONE
