"""What the turns of downloads, switches and clocks do: read first, write once, read back."""

import datetime as dt
from functools import partial

from engine import clock
from engine.bus.holding import Group, Holding, Misfit, groups_for
from engine.bus.link import Bus
from engine.control_turn import ControlTurn, NotNow, values_of
from engine.domain.batch_rules import CLOCK_GOOD_S
from engine.domain.measurement import MeterReading
from engine.domain.states import StatusBits
from engine.domain.wanted import PRICES, differing
from engine.meter_turn import Unfit
from models.enums import CommandKind, CommandState, Relay

ROUNDS_MAX = 3  # writes of what the meter takes and does not show
CLOCK_CLEAR_S = 60  # from midnight and switch times: none may be skipped or played twice
FORCED = {  # what the force registers are to hold
    CommandKind.TRIP: {"force_on": 1, "force_open": 1},
    CommandKind.HOLD: {"force_on": 1, "force_open": 0},
    CommandKind.RESUME: {"force_on": 0, "force_open": 0},
}


async def download(turn: ControlTurn, bus: Bus) -> bool:
    """Does the meter hold all that is wanted, now or after writing what differs?

    Where prices or their hours change, the meter is read just before and just after: no
    reading's use is reckoned at prices it was not counted at.
    """
    wanted = values_of(turn.command.desired)
    holding = Holding(turn.at.driver, bus)
    try:
        groups = groups_for(wanted, turn.at.driver.map)
        await turn.recognise(bus)
        await holding.look(groups, step="before")
        await turn.keep_held(holding)
        turn.found = {name: holding.held.get(name) for name in wanted}
        todo = [group for group in groups if holding.differing(group, wanted)]
        prices = not PRICES.isdisjoint(differing(wanted, holding.held))
        for _ in range(ROUNDS_MAX):
            if not todo:
                break
            await _write_groups(turn, holding, todo, wanted, prices=prices)
            todo = [group for group in groups if holding.differing(group, wanted)]
    except Misfit as misfit:
        raise Unfit(misfit.reason) from None
    turn.left = {name: holding.held.get(name) for name in differing(wanted, holding.held)}
    return not todo


async def _write_groups(
    turn: ControlTurn,
    holding: Holding,
    groups: list[Group],
    wanted: dict[str, str | int],
    *,
    prices: bool,
) -> None:
    """Each group once, and a look at them."""
    for group in groups:
        holding.orders(group, wanted)  # a Misfit before anything of it is marked as sent
    if prices:
        await turn.keep(await holding.read(step="before"))
    bus, refused = holding.bus, False
    for group in groups:
        await turn.write(bus, partial(holding.give, group, wanted, ciphered=turn.ciphered))
        refused |= turn.refused
    turn.refused = refused
    await holding.look(groups, step="read_back")
    if prices:
        await holding.read(step="read_back")
    await turn.keep_held(holding)


async def switch(turn: ControlTurn, bus: Bus) -> bool:
    """Does the relay stand as asked for, now or after one order?"""
    if "force_switch" not in turn.at.driver.map.orders:
        raise Unfit("no_order")
    await turn.recognise(bus)
    wanted = FORCED[turn.command.kind]
    if await _forced(turn, bus, step="before") == wanted:
        return True
    if turn.command.state is not CommandState.QUEUED:
        return False  # it was sent once, and the relay is not as it was asked for
    await _force(turn, bus, wanted)
    return await _forced(turn, bus, step="read_back") == wanted


async def _force(turn: ControlTurn, bus: Bus, wanted: dict[str, int]) -> None:
    driver = turn.at.driver
    await turn.write(
        bus, lambda: driver.give(bus, driver.map.orders["force_switch"], wanted, step="write")
    )


async def _forced(turn: ControlTurn, bus: Bus, *, step: str) -> dict[str, int]:
    """The force registers, a released one told as closed; and a reading, which is kept."""
    driver = turn.at.driver
    found = await driver.read_block(bus, driver.map.blocks["force"], step=step)
    await turn.keep(await driver.read_main(bus, step=step))
    on = int(found["force_on"])
    return {"force_on": on, "force_open": int(found["force_open"]) if on else 0}


async def reconnect(turn: ControlTurn, bus: Bus) -> bool:
    """Is the relay closed, or told to close? What a hand or an overload opened, nothing else.

    Each order once. Raises Unfit(arrears, held_on, time_controlled, held_open) where that is not
    for us to close.
    """
    driver = turn.at.driver
    if "force_switch" not in driver.map.orders:
        raise Unfit("no_order")
    await turn.recognise(bus)
    reading = await driver.read_main(bus, step="before")
    await turn.keep(reading)
    if closed(turn, reading):
        return True
    if turn.command.state is not CommandState.QUEUED:
        return False
    status = _status(turn, reading)
    if why := _not_ours(status):
        raise Unfit(why)
    if status.force_active:
        await _force(turn, bus, FORCED[CommandKind.RESUME])
    if status.load_tripped and "reset_trips" in driver.map.orders:
        order = driver.map.orders["reset_trips"]
        await turn.write(bus, lambda: driver.give(bus, order, {"trips": 0}, step="write"))
    if turn.command.state is CommandState.QUEUED:
        raise Unfit("held_open")  # and not by a hand or an overload: nothing was sent
    return await reconnected(turn, bus)


async def reconnected(turn: ControlTurn, bus: Bus) -> bool:
    """A look: is it closed by now? A meter takes up to some seconds (reference Q13)."""
    reading = await turn.at.driver.read_main(bus, step="read_back")
    await turn.keep(reading)
    status = _status(turn, reading)
    turn.left = {} if closed(turn, reading) else {"relay": _why_open(status)}
    return closed(turn, reading)


def closed(turn: ControlTurn, reading: MeterReading) -> bool:
    return _status(turn, reading).relay is Relay.CLOSED


def _status(turn: ControlTurn, reading: MeterReading) -> StatusBits:
    return StatusBits(reading.status1 or 0, reading.status2 or 0, turn.at.driver.map.phases)


def _not_ours(status: StatusBits) -> str | None:
    """What else holds it open: it would stay so, and the trip that was asked for be lost."""
    if status.arrears:
        return "arrears"
    if status.force_active and status.force_outputs:
        return "held_on"  # told to be closed, and is open: a fault, not an order
    return "time_controlled" if status.time_tripped else None


def _why_open(status: StatusBits) -> str:
    if status.arrears:
        return "arrears"
    return "time_controlled" if status.time_tripped else "held_open"


async def set_clock(turn: ControlTurn, bus: Bus) -> bool:
    """Does the meter show the site's local time, now or after setting it?

    Raises NotNow close to midnight or a switch time, on either clock.
    """
    driver, zone = turn.at.driver, turn.duty.config.site.zone
    if "clock" not in driver.map.orders:
        raise Unfit("no_order")
    await turn.recognise(bus)
    for round_ in range(ROUNDS_MAX + 1):
        reading = await driver.read_main(bus, step="read_back" if round_ else "before")
        await turn.keep(reading)
        off_s = clock_off_s(reading, clock.now(), zone)
        turn.found.setdefault("clock_off_s", off_s)
        await turn.keep_clock(off_s)
        if off_s is not None and abs(off_s) <= CLOCK_GOOD_S:
            return True
        if round_ == ROUNDS_MAX:
            break
        require_clear(await turn.switch_minutes(), reading, zone)
        await turn.write(
            bus, lambda: driver.give(bus, driver.map.orders["clock"], _clock(zone), step="write")
        )
    turn.left = {"clock_off_s": off_s}
    return False


def clock_off_s(reading: MeterReading, at: dt.datetime, zone: dt.tzinfo) -> int | None:
    """Meter's clock less local time; None where it shows none. The meter knows no zone."""
    if reading.clock is None:
        return None
    local = at.astimezone(zone).replace(tzinfo=None)
    return round((dt.datetime.fromisoformat(reading.clock) - local).total_seconds())


def require_clear(switches: frozenset[int], reading: MeterReading, zone: dt.tzinfo) -> None:
    """Raises NotNow where true time or the meter's is near midnight or one of `switches`."""
    local = clock.now().astimezone(zone).replace(tzinfo=None)
    shown = dt.datetime.fromisoformat(reading.clock) if reading.clock else local
    for moment in (local, shown):
        second = moment.hour * 3600 + moment.minute * 60 + moment.second
        for minute in {0, 1440, *switches}:
            if abs(second - minute * 60) < CLOCK_CLEAR_S:
                raise NotNow


def _clock(zone: dt.tzinfo) -> dict[str, int]:
    """Local time, to the nearest second."""
    now = (clock.now() + dt.timedelta(seconds=0.5)).astimezone(zone)
    return {
        "clock_second": now.second,
        "clock_minute": now.minute,
        "clock_hour": now.hour,
        "clock_weekday": now.isoweekday() % 7,
        "clock_day": now.day,
        "clock_month": now.month,
        "clock_year": now.year - 2000,
    }
