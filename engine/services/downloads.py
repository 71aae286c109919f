"""电价下发 and 设置下发: what is desired of a meter, written down for the engine to write."""

import json
from collections.abc import Collection

from engine import clock
from engine.config import Config
from engine.services import audit, desired, meters, operators, queueing
from engine.services.desired import Values
from models.base import next_rev, write_transaction
from models.commands import OPEN_STATES, Command
from models.enums import CommandKind, CommandState, Right
from models.people import Operator
from models.site import Meter

SUPERSEDED = "superseded"


def request(
    serial: str,
    by: Operator,
    request_id: str,
    *,
    config: Config,
    names: Collection[str] | None = None,
) -> Command:
    """Have `serial` hold what is desired of it; `names` (engine.domain.wanted) None: all of it.

    Raises Forbidden, NoSuchMeter, MeterRetired, RequestIdReused.
    """
    with write_transaction():
        require_right(by)
        return request_within(serial, by, request_id, config=config, names=names)


def request_within(
    serial: str,
    by: Operator | None,
    request_id: str,
    *,
    config: Config,
    names: Collection[str] | None = None,
) -> Command:
    """The same as part of another verb, whose right and transaction hold."""
    if first := queueing.earlier(request_id, CommandKind.DOWNLOAD, serial, by):
        return first
    meter = meters.living(serial)
    wanted = desired.of(meter, config)
    if names is not None:
        wanted = {name: value for name, value in wanted.items() if name in names}
    return queue_values(meter, wanted, by, request_id)


def queue_values(
    meter: Meter, wanted: Values, by: Operator | None, request_id: str, **fields: object
) -> Command:
    """Have `meter` hold exactly `wanted`, inside the caller's write_transaction.

    It supersedes what is queued and says nothing that this does not say anew. Others that are
    under way say the same as this from now on: one of unknown outcome is written again when its
    meter answers, and would bring the old values back.
    """
    _supersede(meter, wanted)
    _renew(meter, wanted)
    text = json.dumps(wanted, sort_keys=True)
    command = queueing.queue(meter, CommandKind.DOWNLOAD, by, request_id, desired=text, **fields)
    who = by.name if by else audit.SYSTEM
    audit.write(who, "download", meter.serial, {"command": command.id, **wanted})
    return command


def require_right(by: Operator) -> None:
    """Who opens accounts may download what is desired, and who looks after the meters."""
    if not operators.has(by, Right.ACCOUNTS):
        operators.require(by, Right.SETTINGS)


def _supersede(meter: Meter, wanted: Values) -> None:
    queued = Command.select().where(
        Command.meter == meter,
        Command.kind == CommandKind.DOWNLOAD,
        Command.state == CommandState.QUEUED,
    )
    for earlier in queued:
        if json.loads(earlier.desired).keys() <= wanted.keys():
            Command.update(
                state=CommandState.REFUSED,
                reason=SUPERSEDED,
                finished_at=clock.now(),
                rev=next_rev(Command),
            ).where(Command.id == earlier.id, Command.state == CommandState.QUEUED).execute()


def _renew(meter: Meter, wanted: Values) -> None:
    under_way = Command.select().where(
        Command.meter == meter,
        Command.kind == CommandKind.DOWNLOAD,
        Command.state.in_(OPEN_STATES),
    )
    for command in under_way:
        told = json.loads(command.desired)
        newer = {name: value for name, value in wanted.items() if name in told}
        if not newer.items() <= told.items():
            text = json.dumps(told | newer, sort_keys=True)
            Command.update(desired=text, rev=next_rev(Command)).where(
                Command.id == command.id
            ).execute()
