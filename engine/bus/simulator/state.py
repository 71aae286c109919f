"""The state file: what the meters of a site remember, written whole or not at all."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from engine.bus.simulator.errors import BadState
from engine.bus.simulator.meter import SimMeter


def save(path: Path, meters: Mapping[str, SimMeter], *, now_ms: int) -> None:
    kept = {serial: meter.memory() for serial, meter in meters.items()}
    text = json.dumps({"now_ms": now_ms, "meters": kept}, separators=(",", ":"))
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def restore(path: Path, meters: Mapping[str, SimMeter]) -> int | None:
    """Give the meters their memory back, those the file knows; when it was written, in site time.

    None where there is no file yet. Raises BadState.
    """
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        for serial, memory in state["meters"].items():
            if serial in meters:
                meters[serial].remember(memory)
        return int(state["now_ms"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadState("bad_state", file=str(path), why=str(error)) from None
