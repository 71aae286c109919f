"""The simulator as a process of its own: `python -m tests.simulated TABLES STATE [paced]`."""

import asyncio
import json
import sys
from pathlib import Path

from engine.bus.simulator.main import simulate


def main(tables: str, state: str, *pace: str) -> None:
    asyncio.run(
        simulate(
            Path(tables),
            pacing=pace == ("paced",),
            state=Path(state),
            announce=lambda ports: print(json.dumps(ports), flush=True),
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
