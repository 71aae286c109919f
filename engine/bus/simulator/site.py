"""A whole pretend site: its meters, lines and serial servers, and what goes wrong with them."""

import asyncio
import contextlib
import dataclasses
import logging
import random
from collections.abc import AsyncIterator, Coroutine, Mapping
from pathlib import Path
from typing import Any, Self

from engine.bus.simulator import state
from engine.bus.simulator.clock import SiteClock
from engine.bus.simulator.errors import BadFault
from engine.bus.simulator.faults import (
    CLEAR,
    LINE_FAULTS,
    METER_FAULTS,
    Fault,
    FaultBook,
    make_fault,
)
from engine.bus.simulator.layout import LinePlace, read_site
from engine.bus.simulator.line import Pace, SimLine
from engine.bus.simulator.meter import SimMeter
from engine.bus.simulator.server import SecondClient, SerialPort, TcpPort
from engine.bus.simulator.unit import Unit

log = logging.getLogger(__name__)

SAVE_S = 5.0


class SimSite:
    """The practice site. `load` builds it, `serve` puts it on the network."""

    def __init__(
        self,
        places: list[LinePlace],
        units: Mapping[str, list[Unit]],
        *,
        clock: SiteClock,
        seed: int,
    ) -> None:
        self.clock = clock
        self.ports: dict[str, int] = {}
        self._state_file: Path | None = None
        self._book = FaultBook(random.Random(seed))  # noqa: S311 (chances of faults)
        self._places = {place.name: place for place in places}
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: dict[str, TcpPort | SerialPort] = {}
        self.meters = {
            unit.meter.plate.serial: unit.meter for line in units.values() for unit in line
        }
        self._line_of = {
            unit.meter.plate.serial: name for name, line in units.items() for unit in line
        }
        self.lines = {
            place.name: SimLine(
                place.name,
                place.gateway,
                {unit.meter.plate.address: unit for unit in units[place.name]},
                pace=Pace(baud=place.baud, bits=place.bits),
                book=self._book,
                keep=self.save,
            )
            for place in places
        }

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        seed: int = 1,
        clock: SiteClock | None = None,
        state_file: Path | None = None,
        map_folders: tuple[Path, ...] = (),
    ) -> Self:
        """The site that the import tables at `path` describe. Raises BadSite, BadState."""
        clock = clock or SiteClock()
        places, units = read_site(path, clock=clock, seed=seed, map_folders=map_folders)
        site = cls(places, units, clock=clock, seed=seed)
        site._state_file = state_file
        if state_file and (was_ms := state.restore(state_file, site.meters)):
            clock.not_before(was_ms)
        return site

    def meter(self, serial: str) -> SimMeter:
        """The meter as it is now; its fields may be changed."""
        meter = self.meters[serial]
        meter.advance(self.clock.now_ms())
        return meter

    def save(self) -> None:
        """Write the state file, where there is one."""
        if self._state_file:
            state.save(self._state_file, self.meters, now_ms=self.clock.now_ms())

    def inject(self, target: str, name: str, **options: Any) -> Fault:
        """Make something go wrong, now or at the next exchange. Raises BadFault."""
        fault = make_fault(target, name, **options)
        self.strike(fault)
        return fault

    def strike(self, fault: Fault) -> None:
        """Let `fault` take effect. Raises BadFault where its target is not of this site."""
        lines = self._lines_at(fault.target)
        if fault.name == CLEAR:
            self._book.clear(None if fault.target == "site" else fault.target)
        elif fault.name in METER_FAULTS:
            self._strike_meters(fault, lines)
        elif fault.name in LINE_FAULTS:
            for line in lines:
                self._strike_line(fault, line)
        else:
            self._book.add(fault)

    def _lines_at(self, target: str) -> list[str]:
        scope, _, name = target.partition(":")
        found = {
            "site": lambda: list(self.lines),
            "gateway": lambda: [p.name for p in self._places.values() if p.gateway == name],
            "line": lambda: [name] if name in self.lines else [],
            "meter": lambda: [self._line_of[name]] if name in self.meters else [],
        }[scope]()
        if not found:
            raise BadFault("not_on_site", target=target)
        return found

    def _strike_meters(self, fault: Fault, lines: list[str]) -> None:
        scope, _, name = fault.target.partition(":")
        of_lines = (serial for serial, line in self._line_of.items() if line in lines)
        chosen = [name] if scope == "meter" else list(of_lines)
        for serial in chosen:
            meter = self.meter(serial)
            match fault.name:
                case "reset_counter":
                    meter.count = fault.value
                case "foreign_purchase":
                    meter.purchase(fault.amount_fen, meter.count + 1)
                case "set_balance":
                    meter.balance_fen, meter.owed = fault.value, 0
                case "set_load":
                    meter.load_w = fault.value
                case "set_clock":
                    meter.clock.set_wrong(fault.value, meter.at_ms)
                case "drift_clock":
                    meter.clock.set_gain(fault.value, meter.at_ms)
            meter.decide()
        self.save()

    def _strike_line(self, fault: Fault, name: str) -> None:
        line = self.lines[name]
        match fault.name:
            case "disconnect":
                line.disconnect()
            case "text" if line.client:
                line.client.write(fault.text.encode())
            case "refuse_connections":
                self._spawn(self._servers[name].shut_for(fault.delay_s))

    @contextlib.asynccontextmanager
    async def serve(
        self,
        *,
        base_port: int | None = None,
        devices: Mapping[str, Path] | None = None,
        pacing: bool = True,
        turnaround_s: float = 0.02,
        fragment: int | None = None,
        second_client: SecondClient = "kick",
    ) -> AsyncIterator[Self]:
        """Answer on every line while the context lasts; `ports` says where.

        `base_port`: None takes the ports of the lines table, 0 any free ones. A line in
        `devices` is served on that serial device instead.
        """
        for number, (name, line) in enumerate(self.lines.items()):
            line.pace = dataclasses.replace(
                line.pace, paced=pacing, turnaround_s=turnaround_s, fragment=fragment
            )
            if devices and name in devices:
                self._servers[name] = SerialPort(line, devices[name])
            else:
                port = base_port + number if base_port else base_port
                wanted = self._places[name].port if port is None else port
                self._servers[name] = TcpPort(line, wanted, second_client)
        try:
            for name, server in self._servers.items():
                await server.open()
                if isinstance(server, TcpPort):
                    self.ports[name] = server.port
                self._spawn(self.lines[name].run())
            self._spawn(self._save_now_and_then())
            yield self
        finally:
            await self._stop()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        self.ports.clear()
        self.save()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a part of the simulator ended", exc_info=error)

    async def _save_now_and_then(self) -> None:
        saved_at = -1
        while self._state_file:
            await asyncio.sleep(SAVE_S)
            exchanges = sum(line.exchanges for line in self.lines.values())
            if exchanges != saved_at:  # nobody asked: nothing has been lived through
                self.save()
                saved_at = exchanges
