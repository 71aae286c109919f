"""The control port: JSON lines that inject faults and look at meters while the site runs."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

from engine.bus.simulator.errors import BadFault
from engine.bus.simulator.faults import Fault
from engine.bus.simulator.server import HOST
from engine.bus.simulator.site import SimSite

TIMEOUT_S = 10.0


@contextlib.asynccontextmanager
async def control(site: SimSite, port: int) -> AsyncIterator[int]:
    """Listen while the context lasts; the port it is on (0 takes any free one)."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(json.dumps(_answer(site, line), ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, HOST, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _answer(site: SimSite, line: bytes) -> dict[str, Any]:
    try:
        wanted: dict[str, Any] = json.loads(line)
        return {"ok": True, **_obey(site, wanted)}
    except BadFault as error:
        return {"ok": False, "error": error.code, "params": error.params}
    except (KeyError, TypeError, ValueError, AttributeError):
        said = line.decode(errors="replace").strip()
        return {"ok": False, "error": "not_a_fault", "params": {"text": said}}


def _obey(site: SimSite, wanted: dict[str, Any]) -> dict[str, Any]:
    if "meter" in wanted:
        return {"meter": site.meter(wanted["meter"]).memory()}
    site.inject(wanted.pop("target"), wanted.pop("fault"), **wanted)
    return {}


def ask(control_port: int, wanted: dict[str, Any]) -> dict[str, Any]:
    """One request to a running simulator: `{"meter": serial}`, or a fault's `request()`.

    Raises OSError where none runs, BadFault as it says.
    """
    with socket.create_connection((HOST, control_port), timeout=TIMEOUT_S) as connection:
        connection.sendall(json.dumps(wanted).encode() + b"\n")
        with connection.makefile(encoding="utf-8") as answers:
            answer: dict[str, Any] = json.loads(answers.readline())
    if not answer["ok"]:
        raise BadFault(answer["error"], **answer["params"])
    return answer


def send_fault(control_port: int, fault: Fault) -> None:
    """Make something go wrong in a running simulator. Raises OSError, BadFault."""
    ask(control_port, fault.request())
