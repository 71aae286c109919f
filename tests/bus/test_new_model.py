"""A meter model that exists only here: one file, and it is read end to end over a socket."""

from pathlib import Path

import pytest

from engine.bus.errors import OtherModel
from engine.bus.registers import load_maps
from engine.domain.measurement import MeterReading
from tests.bus.scripted import Line, driver, registers_reply, sealed

GIZMO = """
# A made-up three-phase meter of another maker: input registers, low word first, two blocks.
model = "GIZMO-3"
kind = "ordinary"
phases = 3
model_codes = [4711]
word_order = "little"
power_w_max = 1000000

[uses]
reading = ["plate", "counters"]
fence = "state"

[blocks.state]
address = 0x0900
count = 1
points = { state = { off = 0, type = "u16" } }

[blocks.plate]
function = 4
address = 0x0010
count = 3
[blocks.plate.points]
model_code = { off = 0, type = "u16" }
pt_ratio = { off = 2, type = "u16", limits = [1, 10000] }
ct_ratio = { off = 4, type = "u16", limits = [1, 10000] }

[blocks.counters]
function = 4
address = 0x0100
count = 8
[blocks.counters.points]
energy_wh = { off = 0, type = "u32", scale = 100, times = ["pt_ratio", "ct_ratio"] }
power_w = { off = 4, type = "i32", scale = 10, times = ["pt_ratio", "ct_ratio"] }
voltage_a_mv = { off = 8, type = "u16", scale = 100, times = ["pt_ratio"] }
voltage_b_mv = { off = 10, type = "u16", scale = 100, times = ["pt_ratio"] }
voltage_c_mv = { off = 12, type = "u16", scale = 100, times = ["pt_ratio"] }
"""


def input_reply(unit: int, *registers: int) -> bytes:
    return sealed(bytes((unit, 4)) + registers_reply(unit, *registers)[2:-2])


async def test_a_model_is_added_by_one_file_and_read_over_a_socket(
    line: Line, tmp_path: Path
) -> None:
    (tmp_path / "gizmo-3.toml").write_text(GIZMO, encoding="utf-8")
    gizmo = load_maps(tmp_path)["GIZMO-3"]

    turn = line.turn(lambda bus: driver(5, gizmo).read_main(bus))
    assert (await line.slave.heard())[1:6] == bytes.fromhex("03 0900 0001")
    await line.slave.send(registers_reply(5, 0))
    assert (await line.slave.heard())[1:6] == bytes.fromhex("04 0010 0003")
    await line.slave.send(input_reply(5, 4711, 1, 40))
    assert (await line.slave.heard())[1:6] == bytes.fromhex("04 0100 0008")
    await line.slave.send(input_reply(5, 2, 1, 0xFFFE, 0xFFFF, 2301, 2302, 2303, 0))

    assert await turn == MeterReading(
        energy_wh=0x10002 * 100 * 40,
        model_code=4711,
        voltage_mv=(230_100, 230_200, 230_300),
        power_w=-800,
        pt_ratio=1,
        ct_ratio=40,
        energy_step_wh=4000,
        raw="126700010028" + "00020001fffeffff08fd08fe08ff0000",
    )


async def test_nothing_more_is_asked_of_a_meter_of_another_model(
    line: Line, tmp_path: Path
) -> None:
    (tmp_path / "gizmo-3.toml").write_text(GIZMO, encoding="utf-8")
    gizmo = load_maps(tmp_path)["GIZMO-3"]

    turn = line.turn(lambda bus: driver(5, gizmo).read_main(bus))
    await line.slave.heard()
    await line.slave.send(registers_reply(5, 0))
    await line.slave.heard()
    await line.slave.send(input_reply(5, 4712, 0, 0))

    with pytest.raises(OtherModel) as other:
        await turn
    assert other.value.params == {"found": 4712, "model": "GIZMO-3"}
    assert line.slave.quiet
