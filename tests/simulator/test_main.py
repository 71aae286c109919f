"""The whole program: serves, announces its ports, takes faults, remembers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine import tables as table_files
from engine.bus.simulator.control import ask
from engine.bus.simulator.errors import BadFault, BadSite, SimulatorError
from engine.bus.simulator.faults import parse_fault
from engine.bus.simulator.main import send_fault, simulate
from engine.bus.simulator.site import SimSite

SINGLE = "202106250001"
FENCE = bytes.fromhex("01 03 00 22 00 01 24 00")


@contextlib.asynccontextmanager
async def running(path: Path, **options: Any) -> AsyncIterator[dict[str, Any]]:
    ready = asyncio.get_running_loop().create_future()
    work = asyncio.create_task(
        simulate(path, base_port=0, pacing=False, announce=ready.set_result, **options)
    )
    await asyncio.wait([ready, work], return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        work.result()
    try:
        yield ready.result()
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


async def test_the_ports_of_all_lines_and_of_the_control_are_announced(tables: Path) -> None:
    async with running(tables) as ports:
        assert list(ports["lines"]) == ["L1", "L2"]
        assert ports["control"] > 0
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["lines"]["L2"])
        writer.write(FENCE)
        assert len(await reader.readexactly(7)) == 7
        writer.close()


async def test_faults_come_through_the_control_port(tables: Path) -> None:
    async with running(tables) as ports:
        before = await asyncio.to_thread(ask, ports["control"], {"meter": SINGLE})
        await asyncio.to_thread(
            send_fault,
            ports["control"],
            parse_fault(f"meter:{SINGLE} foreign_purchase amount_fen=100"),
        )
        after = await asyncio.to_thread(ask, ports["control"], {"meter": SINGLE})

    assert after["meter"]["count"] == before["meter"]["count"] + 1


async def test_a_wrong_fault_is_refused_by_the_control_port(tables: Path) -> None:
    async with running(tables) as ports:
        with pytest.raises(BadFault, match="L9"):
            await asyncio.to_thread(send_fault, ports["control"], parse_fault("line:L9 no_reply"))
        with pytest.raises(BadFault):
            await asyncio.to_thread(ask, ports["control"], {"target": "site"})


async def test_faults_can_be_given_at_start_and_cleared(tables: Path) -> None:
    async with running(tables, faults="line:L1 lost_request count=0") as ports:
        await asyncio.to_thread(send_fault, ports["control"], parse_fault("line:L1 clear"))
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["lines"]["L1"])
        writer.write(FENCE)
        assert len(await reader.readexactly(7)) == 7
        writer.close()


async def test_stopping_leaves_the_state_behind(tables: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    async with running(tables, state=state) as ports:
        await asyncio.to_thread(
            send_fault, ports["control"], parse_fault(f"meter:{SINGLE} set_balance value=42")
        )

    assert SimSite.load(tables, state_file=state).meters[SINGLE].balance_fen <= 42


async def test_a_port_that_is_taken_is_named(tables: Path) -> None:
    taken = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]

    async with taken:
        with pytest.raises(SimulatorError) as caught:
            await simulate(tables, base_port=port, announce=print)

    assert (caught.value.code, caught.value.params["port"]) == ("cannot_listen", port)


async def test_a_number_that_is_no_port_is_refused(tables: Path) -> None:
    with pytest.raises(SimulatorError) as caught:
        await simulate(tables, base_port=80_000, announce=print)

    assert (caught.value.code, caught.value.params["port"]) == ("cannot_listen", 80_000)


def test_a_workbook_serves_as_well_as_a_folder(tables: Path, tmp_path: Path) -> None:
    read = table_files.read(tables)
    book = tmp_path / "site.xlsx"
    table_files.write_workbook(
        book,
        {
            name: (table.columns, [tuple(row.cells.values()) for row in table.rows])
            for name, table in read.by_name.items()
        },
    )

    site = SimSite.load(book)

    assert list(site.meters) == list(SimSite.load(tables).meters)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("model", "ABC", id="unknown model"),
        pytest.param("line", "L7", id="unknown line"),
        pytest.param("address", "one", id="address"),
    ],
)
def test_tables_that_make_no_site_are_refused_with_file_and_row(
    tables: Path, column: str, value: str
) -> None:
    header, first, *rest = (tables / "meters.csv").read_text(encoding="utf-8").splitlines()
    cells = dict(zip(header.split(","), first.split(","), strict=True)) | {column: value}
    lines = [header, ",".join(cells.values()), *rest]
    (tables / "meters.csv").write_text("\n".join(lines), encoding="utf-8")

    with pytest.raises(BadSite) as refused:
        SimSite.load(tables)

    assert refused.value.params == {
        "file": "meters.csv",
        "row": 2,
        "column": column,
        "found": value,
    }


@pytest.mark.parametrize("missing", ["lines", "meters"])
def test_a_site_without_lines_or_meters_is_none(tables: Path, missing: str) -> None:
    (tables / f"{missing}.csv").unlink()

    with pytest.raises(BadSite, match=missing):
        SimSite.load(tables)
