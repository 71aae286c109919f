"""read, sell, void: what is asked of a meter, or of all of a tenant's, and what came of it."""

import argparse
from uuid import uuid4

from console.commands.outcome import settled, settled_all, tell, tell_all
from console.commands.site import default_prices, local_now, opened, person
from console.failures import NotUsable, Status, print_json
from engine.domain.units import parse_yuan, yuan_text
from engine.services import commands, meters, selling
from engine.views import meters as meter_views
from models.enums import CommandState, PayKind

EVEN = "even"  # in place of parts


def sell(args: argparse.Namespace) -> int:
    """Take YUAN for credit, and wait for the meter to prove it."""
    if args.tenant is not None:
        return _sell_to_tenant(args)
    if args.serial is None:
        raise NotUsable("serial_needed")
    paid_fen = parse_yuan(args.yuan)
    with opened(args) as config:
        command = selling.sell(
            args.serial,
            paid_fen,
            PayKind(args.pay),
            person(args),
            args.request_id or uuid4().hex,
            money=config.money,
        )
        command = settled(command, args.wait)
        return tell(command, args)


def _sell_to_tenant(args: argparse.Namespace) -> int:
    """One payment over several meters: each part its own sale, the whole one receipt."""
    paid_fen = parse_yuan(args.yuan)
    with opened(args) as config:
        payment = selling.sell_to_tenant(
            args.tenant,
            _parts(args.split, args.tenant, paid_fen),
            PayKind(args.pay),
            person(args),
            args.request_id or uuid4().hex,
            money=config.money,
        )
        legs = settled_all(selling.legs_of(payment), args.wait)
        return tell_all({"payment": payment.id, "paid_fen": payment.paid_fen}, legs, args)


def _parts(split: list[str] | None, number: str, paid_fen: int) -> dict[str, int]:
    """`SERIAL=YUAN` of each; without any, evenly over the tenant's meters. Raises NotUsable."""
    if not split or split == [EVEN]:
        serials = [each.meter.serial for each in meters.of_tenant(number)]
        share, rest = divmod(paid_fen, max(1, len(serials)))
        return {serial: share + (place < rest) for place, serial in enumerate(serials)}
    parts = {}
    for part in (each for given in split for each in given.split(",")):
        serial, _, yuan = part.partition("=")
        if not yuan or serial in parts:
            raise NotUsable("bad_split", part=part)
        parts[serial] = parse_yuan(yuan)
    if sum(parts.values()) != paid_fen:
        raise NotUsable(
            "split_differs", sum=yuan_text(sum(parts.values())), paid=yuan_text(paid_fen)
        )
    return parts


def void(args: argparse.Namespace) -> int:
    """Take back a sale that has not left; exit 0 where it is voided."""
    with opened(args) as config:
        command = selling.void(args.command, person(args), undo_s=config.money.undo_s)
        status = tell(command, args)
        return Status.DONE if command.state is CommandState.VOIDED else status


def read(args: argparse.Namespace) -> int:
    """A fresh read now; prints the meter as `meters` does."""
    with opened(args) as config:
        asked = commands.request_read(
            args.serial, uuid4().hex, expires_s=max(1, round(args.wait) + 1)
        )
        command = settled(asked, args.wait)
        if command.state is not CommandState.APPLIED:
            tell(command, args)
            return Status.ACCEPTED if command.state.open else Status.ENVIRONMENT
        now = local_now(config)
        row = meter_views.one(args.serial, now, default_prices=default_prices(config))
    shown = row.as_json(now)
    if args.json:
        print_json(shown)
    else:
        print("\n".join(f"{name}: {value}" for name, value in shown.items()))
    return Status.DONE
