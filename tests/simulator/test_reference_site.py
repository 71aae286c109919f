"""The reference site: what it is made of, and that it looks like a mall in operation."""

import struct
from collections import Counter
from pathlib import Path

import pytest

from engine import tables
from engine.bus.registers import decode, load_maps
from engine.bus.simulator.clock import SiteClock
from engine.bus.simulator.reference import write_reference_site
from engine.bus.simulator.site import SimSite

MIDNIGHT_MS = 1_784_044_800_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    write_reference_site(folder, base_port=21_000)
    return folder


@pytest.fixture(scope="module")
def read(folder: Path) -> dict[str, list[dict[str, str]]]:
    found = tables.read(folder)
    assert not found.errors
    return {name: [dict(r.cells) for r in table.rows] for name, table in found.by_name.items()}


@pytest.fixture(scope="module")
def site(folder: Path) -> SimSite:
    return SimSite.load(folder, clock=SiteClock(speed=0, start_ms=MIDNIGHT_MS))


def test_58_meters_of_one_phase_and_276_of_three(read) -> None:
    models = Counter(row["model"] for row in read["meters"])

    assert models == {"DDSY1352-NK": 58, "DTSY1352-NK": 276}


def test_six_wells_and_three_distribution_rooms_with_at_most_thirty_meters_a_line(read) -> None:
    gateways = {row["gateway"] for row in read["lines"]}
    loads = Counter(row["line"] for row in read["meters"])

    assert len([name for name in gateways if name.endswith("电井")]) == 6
    assert len([name for name in gateways if name.endswith("配电室")]) == 3
    assert len(gateways) == 9
    assert set(loads) == {row["line"] for row in read["lines"]}
    assert max(loads.values()) <= 30


def test_serials_and_addresses_are_unique(read) -> None:
    serials = [row["serial"] for row in read["meters"]]
    places = [(row["line"], row["address"]) for row in read["meters"]]

    assert len(set(serials)) == len(set(places)) == 334
    assert all(len(serial) == 12 and serial.isdecimal() for serial in serials)
    assert all(1 <= int(address) <= 247 for _, address in places)


def test_each_line_has_a_port_of_its_own(read) -> None:
    assert [int(row["port"]) for row in read["lines"]] == list(range(21_000, 21_012))


def test_six_floors_with_shop_codes_of_their_floor(read) -> None:
    assert {row["floor"] for row in read["meters"]} == {f"{floor}F" for floor in range(1, 7)}
    assert all(row["shop"].startswith(f"{row['floor']}-") for row in read["meters"])


def test_tenants_have_one_name_each_and_hold_each_meter_once(read) -> None:
    names = [row["name"] for row in read["tenants"]]
    held = [serial for row in read["tenants"] for serial in row["meters"].split(";")]

    assert len(set(names)) == len(names)
    assert len(set(held)) == len(held)
    assert set(held) <= {row["serial"] for row in read["meters"]}
    assert 10 <= 334 - len(held) <= 20  # vacant shops
    assert max(len(row["meters"].split(";")) for row in read["tenants"]) >= 4  # anchors


def test_large_tenants_hang_on_current_transformers(read) -> None:
    ratios = {int(row["ct_ratio"]) for row in read["meters"] if row["model"] == "DTSY1352-NK"}

    assert ratios > {1, 20, 40}
    assert all(row["ct_ratio"] == "1" for row in read["meters"] if row["model"] == "DDSY1352-NK")


def test_every_tariff_named_is_priced(read) -> None:
    assert {row["tariff"] for row in read["meters"]} == {row["tariff"] for row in read["tariffs"]}


def test_vacant_shops_are_not_opened_and_all_others_are(read, site: SimSite) -> None:
    held = {serial for row in read["tenants"] for serial in row["meters"].split(";")}

    assert {serial for serial, meter in site.meters.items() if meter.money_control} == held
    assert all(meter.count == 0 for s, meter in site.meters.items() if s not in held)


def test_a_few_balances_are_low_and_most_are_not(site: SimSite) -> None:
    opened = [meter for meter in site.meters.values() if meter.money_control]
    arrears = [meter for meter in opened if meter.arrears]
    alarmed = [meter for meter in opened if meter.alarm1 and not meter.arrears]

    assert 3 <= len(arrears) <= 20
    assert 10 <= len(alarmed) <= 50
    assert not any(meter.relay_closed for meter in arrears)
    assert all(3 <= meter.count <= 60 for meter in opened)
    assert max(meter.balance_fen for meter in opened) < 1_000_000  # under the default ceiling


def test_checked_and_blind_plain_and_ciphered_meters_are_mixed(site: SimSite) -> None:
    kinds = Counter((meter.checked, meter.cipher_on) for meter in site.meters.values())

    assert len(kinds) == 4
    assert kinds[True, False] > kinds[False, False] > kinds[False, True] > 0


def test_what_every_meter_shows_decodes_to_what_it_holds(site: SimSite) -> None:
    site.clock.move_on(6 * 3600)
    maps = load_maps()

    for line in site.lines.values():
        for address, unit in line.units.items():
            reply = unit.answer(bytes([address]) + bytes.fromhex("03 02 00 00 30") + b"\0\0")
            meter, block = unit.meter, maps[unit.meter.plate.model].blocks["main"]
            values = decode(block, struct.unpack(">48H", reply[3:-2]))
            step_wh = 10 * meter.ct_ratio
            assert values["energy_wh"] == meter.energy_wh // step_wh * step_wh
            assert values["power_w"] == meter.power_w // meter.ct_ratio * meter.ct_ratio
            assert values["balance_fen"] == meter.balance_fen
            assert values["purchase_count"] == meter.count
            assert values["relay_a"] == meter.relay_closed


def test_the_same_seed_makes_the_same_site(folder: Path, site: SimSite) -> None:
    clock = SiteClock(speed=0, start_ms=MIDNIGHT_MS)
    same = SimSite.load(folder, clock=clock)
    other = SimSite.load(folder, clock=clock, seed=2)
    fresh = SimSite.load(folder, clock=SiteClock(speed=0, start_ms=MIDNIGHT_MS))

    def balances(each: SimSite) -> list[int]:
        return [meter.balance_fen for meter in each.meters.values()]

    assert balances(same) == balances(fresh) != balances(other)
